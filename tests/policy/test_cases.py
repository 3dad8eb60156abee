"""Every sample event gets the decision that is stored for it, from a real OPA on a host's settings."""

import json
from pathlib import Path

import pytest

from hostseal.core.decision import parse
from policy.opa_server import OpaServer

TESTS = Path(__file__).parents[1]
CASES = sorted((TESTS / "cases").glob("*.json"))


def sample(name: str) -> dict:
    return json.loads((TESTS / "samples" / "events" / f"{name}.json").read_bytes())


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_sample_gets_its_decision(server: OpaServer, path: Path) -> None:
    case = json.loads(path.read_bytes())
    event = sample(case["sample"])
    event["host"]["name"] = case["host"]
    answer = server.decide(event, case["standing"])
    assert answer["result"] == case["decision"]
    decision = parse(answer["result"])
    assert decision.allowed is not bool(decision.violations)
    assert (decision.deadline_seconds is not None) is ("flag" in (*decision.actions, *decision.would))


def test_every_sample_has_a_case() -> None:
    used = {json.loads(path.read_bytes())["sample"] for path in CASES}
    assert used == {path.stem for path in (TESTS / "samples" / "events").glob("*.json")}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_message_is_one_printable_line(path: Path) -> None:
    for finding in json.loads(path.read_bytes())["decision"]["findings"]:
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
def test_a_malformed_event_is_said_to_be_so(server: OpaServer, missing: str) -> None:
    event = sample("channel_shell")
    del event[missing]
    decision = parse(server.decide(event, {"state": "sealed", "incident": None})["result"])
    assert (decision.allowed, decision.judged, decision.actions, decision.would) == (False, False, (), ())
    [sentence] = decision.violations
    assert sentence.startswith("The event cannot be judged: ")
    assert {"host": "event.host.name"}.get(missing, f"event.{missing}") + " is missing" in sentence


@pytest.mark.parametrize("standing", [None, {}, {"state": "cracked", "incident": None}])
def test_an_unknown_standing_is_said_to_be_so(server: OpaServer, standing: object) -> None:
    decision = parse(server.decide(sample("channel_shell"), standing)["result"])
    assert not decision.judged
    assert decision.violations[0].startswith("The event cannot be judged: standing.state is ")


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
