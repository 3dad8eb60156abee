"""The other entry points, asked of a real OPA on a host's settings, through the agent's own client."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hostseal.core.decision import Action
from hostseal.policy.engine import OpaEngine
from policy import questions
from policy.opa_server import TOKEN, OpaServer

SCHEMAS = Path(__file__).parents[2] / "policies/schemas"
REPLACE, PLAY, BREAK_GLASS = questions.REPLACE.path, questions.PLAY.path, questions.BREAK_GLASS.path


@pytest.fixture
def engine(server: OpaServer, tmp_path: Path) -> OpaEngine:
    """The agent's client, as the fleet and the command line use it."""
    token = tmp_path / "token"
    token.write_text(TOKEN)
    ca = server.folder / "server.pem"
    return OpaEngine(f"https://127.0.0.1:{server.port}", ca=ca, token_file=token, timeout_seconds=10)


def replacement(**changes: Any) -> dict[str, Any]:
    asked = {**copy.deepcopy(questions.REPLACE.question["replace"]), **changes}
    jsonschema.Draft7Validator(json.loads((SCHEMAS / "replace/decision.json").read_bytes())).validate(
        {"replace": asked}
    )
    return {"replace": asked}


def test_a_flagged_host_whose_deadline_has_passed_may_be_replaced_and_is_due(engine: OpaEngine) -> None:
    decision = engine.ask(REPLACE, replacement()).decision
    assert (decision.allowed, decision.actions, decision.due) == (True, (Action.REPLACE,), True)
    early = engine.ask(REPLACE, replacement(now="2026-01-02T03:03:05Z")).decision
    assert (early.allowed, early.due, early.deadline_seconds) == (True, False, 60)


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"standing": "sealed", "incident": None}, {"not_flagged"}),
        ({"held": True}, {"held"}),
        ({"attempts": 3}, {"too_many_attempts"}),
        ({"image": {"digest": f"sha256:{'a' * 64}", "track": "candidate"}}, {"image_not_current"}),
        ({"host": {"name": "enforcing-1-g1", "slot": "enforcing-1", "generation": 1, "instance_id": "i"}}, {"mutable_host"}),
        ({"host": {"name": "observed-1-g1", "slot": "observed-1", "generation": 1, "instance_id": "i"}}, {"only_observed"}),
    ],
)  # fmt: skip
def test_each_refusal_has_its_rule_and_sentence(
    engine: OpaEngine, changes: dict[str, Any], rules: set[str]
) -> None:
    decision = engine.ask(REPLACE, replacement(**changes)).decision
    assert {finding.rule for finding in decision.findings} == rules
    assert (decision.allowed, len(decision.violations), decision.actions) == (False, 1, ())
    assert decision.would == ((Action.REPLACE,) if rules == {"only_observed"} else ())


def wish(**changes: Any) -> dict[str, Any]:
    asked = {**copy.deepcopy(questions.BREAK_GLASS.question["break_glass"]), **changes}
    schema = json.loads((SCHEMAS / "break_glass/decision.json").read_bytes())
    jsonschema.Draft7Validator(schema).validate({"break_glass": asked})
    return {"break_glass": asked}


def test_a_break_glass_certificate_is_allowed_within_the_sites_limits(engine: OpaEngine) -> None:
    assert engine.ask(BREAK_GLASS, wish()).decision.allowed
    assert engine.ask(BREAK_GLASS, wish(asks="extend", seconds=3600, total_seconds=14400)).decision.allowed


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"seconds": 3601}, "too_long"),
        ({"asks": "extend", "total_seconds": 14401}, "too_long_in_all"),
        ({"authority": f"SHA256:{'B' * 43}"}, "unknown_authority"),
        ({"extensions": ["permit-agent-forwarding"]}, "too_much"),
    ],
)
def test_and_refused_beyond_them_whatever_the_hosts_mode(
    engine: OpaEngine, changes: dict[str, Any], rule: str
) -> None:
    for host in ("flagging-1", "observed-1"):
        asked = wish(**changes)
        asked["break_glass"]["grant"]["host"] = host
        decision = engine.ask(BREAK_GLASS, asked).decision
        assert {finding.rule for finding in decision.findings} == {rule}
        assert (decision.allowed, len(decision.violations), decision.actions) == (False, 1, (Action.REFUSE,))


@pytest.mark.parametrize("entry_point", [REPLACE, PLAY, BREAK_GLASS])
@pytest.mark.parametrize(
    "question", [{}, {"replace": None}, {"play": []}, {"break_glass": {}}, {"replace": {}, "play": {}}]
)
def test_a_malformed_question_is_refused(
    engine: OpaEngine, entry_point: str, question: dict[str, Any]
) -> None:
    decision = engine.ask(entry_point, question).decision
    assert (decision.allowed, decision.judged) == (False, False)
    assert decision.actions == (() if entry_point == REPLACE else (Action.REFUSE,))
    [sentence] = decision.violations
    assert "cannot be judged: " in sentence


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda asked: asked.update(now="yesterday"), "replace.now is no time as RFC 3339 has it"),
        (lambda asked: asked["incident"].update(deadline="soon"), "replace.incident.deadline is no time as RFC 3339 has it"),
        (lambda asked: asked.update(held=None), "replace.held is null, not true or false"),
        (lambda asked: asked.pop("image"), "replace.image.digest is missing; replace.image.track is missing"),
    ],
)  # fmt: skip
def test_a_spoilt_question_about_a_replacement_is_refused_and_not_due(
    engine: OpaEngine, spoil: Callable[[dict[str, Any]], None], why: str
) -> None:
    asked = replacement()
    spoil(asked["replace"])
    decision = engine.ask(REPLACE, asked).decision
    assert (decision.allowed, decision.actions, decision.would, decision.due) == (False, (), (), False)
    assert decision.violations == (f"The replacement cannot be judged: {why}.",)


def test_two_thousand_hosts_and_five_hundred_tasks_are_judged_in_one_sentence(engine: OpaEngine) -> None:
    play = {
        **questions.PLAY.question["play"],
        "hosts": [f"flagging-1-g{number}" for number in range(2000)],
        "tasks": [{**questions.TASK, "line": line} for line in range(500)],
    }
    asked = {"play": play, "requested_by": {"user": "alice", "controller": "jump-1"}}
    jsonschema.Draft7Validator(json.loads((SCHEMAS / "play/decision.json").read_bytes())).validate(asked)
    [violation] = engine.ask(PLAY, asked).decision.violations
    assert "and 1997 more in place" in violation
    assert "and 497 more. Build" in violation
    assert len(violation) < 400
