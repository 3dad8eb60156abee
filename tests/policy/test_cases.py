"""Every case gets the decision that is stored for it, from a real OPA on a host's settings, and every rule has a case."""

from pathlib import Path
from typing import Any

import pytest

from hostseal.core.decision import parse
from policy.cases import FILES, NO_BUNDLE, TESTS, Answer, Case, answers, load, sample
from policy.opa_server import OpaServer

CASES = [load(path) for path in FILES]


def named(case: Case) -> str:
    """Return by what a failure is found."""
    return case.name


@pytest.fixture(scope="module")
def answered(opa: Path, policies: Path, site: dict[str, Any]) -> dict[str, Answer]:
    """What a real OPA says to all cases."""
    return answers(opa, policies, site, CASES)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_case_gets_its_decision(answered: dict[str, Answer], case: Case) -> None:
    assert case.note
    assert answered[case.name].decision == case.decision
    decision = parse(case.decision)
    assert decision.allowed is not bool(decision.violations)
    assert (decision.deadline_seconds is not None) is ("flag" in (*decision.actions, *decision.would))


PLAIN = [case for case in CASES if not case.data and case.bundle == NO_BUNDLE]


@pytest.mark.parametrize("case", PLAIN, ids=named)
def test_a_server_with_the_sites_bundle_says_the_same(server: OpaServer, case: Case) -> None:
    answer = server.decide(case.input["event"], case.input["standing"])
    assert answer["result"] == case.decision


def test_every_sample_has_a_case() -> None:
    used = {case.sample for case in CASES if case.sample is not None}
    assert used == {path.stem for path in (TESTS / "samples" / "events").glob("*.json")}


def test_every_rule_fires_in_a_case(answered: dict[str, Answer], policies: Path) -> None:
    rules = {path.name for path in (policies / "hostseal" / "rules").iterdir()}
    found = {finding["rule"] for case in CASES for finding in case.decision["findings"]}
    fired = {rule for answer in answered.values() for rule in answer.fired}
    silent = {"automation_session"}  # asks that a suspicion be lifted, and finds nothing
    assert rules - found == silent
    assert rules - fired == set()


def test_every_old_case_is_yaml() -> None:
    assert [path.name for path in (TESTS / "cases").iterdir() if path.suffix != ".yaml"] == []


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_message_is_one_printable_line(case: Case) -> None:
    for finding in case.decision["findings"]:
        assert finding["message"].isprintable()
        assert finding["message"].endswith(".")


def test_the_same_event_has_the_same_decision_again(server: OpaServer) -> None:
    event, standing = sample("files_changed_hostile"), {"state": "sealed", "incident": None}
    first, second = server.decide(event, standing), server.decide(event, standing)
    assert first["result"] == second["result"]
    assert first["decision_id"] != second["decision_id"]


def test_an_unknown_type_is_only_recorded(server: OpaServer) -> None:
    event = {**sample("channel_shell"), "type": "moon.rose"}
    event["host"]["name"] = "flagging-1"
    assert server.decide(event, {"state": "suspect", "incident": None})["result"] == {
        "allowed": True,
        "violations": [],
        "findings": [],
        "actions": [],
        "would": [],
        "deadline_seconds": None,
        "host": {"automation": ["deploy"], "class": "immutable", "groups": ["flagging"], "mode": "flag"},
    }


@pytest.mark.parametrize("missing", ["id", "type", "seq", "host", "data"])
def test_a_malformed_event_has_no_answer(server: OpaServer, missing: str) -> None:
    event = sample("channel_shell")
    del event[missing]
    assert "result" not in server.decide(event, {"state": "sealed", "incident": None})


@pytest.mark.parametrize("standing", [None, {}, {"state": "cracked", "incident": None}])
def test_an_unknown_standing_has_no_answer(server: OpaServer, standing: object) -> None:
    assert "result" not in server.decide(sample("channel_shell"), standing)


@pytest.mark.parametrize(
    ("name", "profile"),
    [
        ("flagging-1", {"mode": "flag", "class": "immutable", "groups": ["flagging"]}),
        ("observed-1", {"mode": "observe", "class": "immutable", "groups": ["flagging"]}),
        ("enforcing-1", {"mode": "enforce", "class": "mutable", "groups": []}),
        ("nobody-lists-it", {"mode": "observe", "class": "immutable", "groups": []}),
    ],
)
def test_a_host_has_its_profile(server: OpaServer, name: str, profile: object) -> None:
    question = {"input": {"host": {"name": name, "machine_id": "0" * 32}}}
    status, answer = server.ask("/v1/data/hostseal/host/profile", question)
    assert (status, answer["result"]) == (200, profile)
