"""What a recorded entry, a case and a bare input ask."""

from pathlib import Path
from typing import Any

import pytest

from hostseal.policy.question import SEALED, NotAskedError, Question, bare, read

EVENT: dict[str, Any] = {
    "type": "session.opened",
    "host": {"name": "web-1"},
    "data": {"user": "alice"},
}
ASKED = {"event": EVENT, "standing": SEALED}
ENTRY = {"decision_id": "d-1", "path": "hostseal/event/decision", "input": ASKED, "result": {"allowed": True}}


def test_an_entry_of_a_decision_log_has_its_question_and_its_decision() -> None:
    assert read(ENTRY, "log:1") == Question(
        asks="event", input=ASKED, where="log:1", id="d-1", decision={"allowed": True}
    )


def test_a_record_of_the_ledger_holds_such_an_entry() -> None:
    record = {"seq": 3, "kind": "decision", "body": ENTRY}
    assert read(record, "x") == read(ENTRY, "x")
    with pytest.raises(NotAskedError) as caught:
        read({**record, "kind": "event", "body": {"event": EVENT}}, "x")
    assert caught.value.kind == "other records"


@pytest.mark.parametrize(
    ("entry", "kind", "message"),
    [
        ({**ENTRY, "path": "hostseal/host/profile"}, "other questions", "hostseal/host/profile is not an entry point"),
        ({**ENTRY, "path": None}, "other questions", "is not an entry point"),
        ({**ENTRY, "erased": ["/result"]}, "masked", "its decision is masked"),
        ({**ENTRY, "input": None}, "malformed", "it has no input"),
        ({**ENTRY, "input": [1]}, "malformed", "it has no input"),
        ([], "malformed", "this is not an object"),
        ("text", "malformed", "this is not an object"),
        ({}, "malformed", "this is none of the questions event, login, play, replace, break_glass"),
        ({"input": 7, "decision": {}}, "malformed", "the case's input is not an object"),
        ({"input": {"event": EVENT}, "decision": {}, "asks": ["event"]}, "malformed", "the case's input is no question"),
        ({"sample": "there_is_none", "decision": {}}, "malformed", "the case's sample cannot be read"),
    ],
)  # fmt: skip
def test_what_cannot_be_replayed_says_what_it_is(entry: Any, kind: str, message: str) -> None:
    with pytest.raises(NotAskedError) as caught:
        read(entry, "log:7", Path("/nowhere/cases"))
    assert caught.value.kind == kind
    assert message in caught.value.message
    assert caught.value.hint == "log:7"


def test_what_is_masked_of_the_input_is_told() -> None:
    found = read({**ENTRY, "erased": ["/labels/id", "/input/x"], "masked": ["/input/event/data"]}, "x")
    assert (found.input, found.masked) == (ASKED, ("/input/x", "/input/event/data"))


@pytest.mark.parametrize(
    ("value", "asks", "host", "about"),
    [
        (EVENT, "event", "web-1", "web-1"),
        (ASKED, "event", "web-1", "web-1"),
        ({"input": ASKED}, "event", "web-1", "web-1"),
        ({**ASKED, "login": {}}, "login", "web-1", "alice@web-1"),
        ({"play": {"name": "Patch"}}, "play", None, "Patch"),
        ({"playbook": "p.yml", "job_type": "run", "name": "Patch"}, "play", None, "Patch"),
        ({"replace": {"host": {"name": "web-1-g2"}}}, "replace", "web-1-g2", "web-1-g2"),
        ({"break_glass": {"grant": {"host": "web-1", "user": "bob"}}}, "break_glass", "web-1", "bob@web-1"),
        ({"replace": None}, "replace", None, "not named"),
    ],
)
def test_a_bare_input_shows_what_it_asks(
    value: dict[str, Any], asks: str, host: str | None, about: str
) -> None:
    found = bare(value, "x")
    assert (found.asks, found.host, found.about) == (asks, host, about)


def test_whoever_asks_may_say_what_is_meant() -> None:
    assert bare({"anything": 1}, "x", "replace").asks == "replace"


def test_a_case_has_its_host_and_standing_and_site_over_its_input() -> None:
    case = {
        "note": "n", "input": {"event": EVENT}, "host": "lab-1", "standing": {"state": "suspect", "incident": None},
        "data": {"default": {"mode": "flag"}}, "decision": {"allowed": False},
    }  # fmt: skip
    found = read(case, "x")
    assert found.input == {
        "event": {**EVENT, "host": {"name": "lab-1"}},
        "standing": {"state": "suspect", "incident": None},
    }
    assert (found.over, found.decision) == ({"site": {"default": {"mode": "flag"}}}, {"allowed": False})
    assert EVENT["host"] == {"name": "web-1"}


def test_a_cases_sample_lies_beside_its_folder(tmp_path: Path) -> None:
    (tmp_path / "samples/events").mkdir(parents=True)
    (tmp_path / "samples/events/opened.json").write_text(
        '{"type": "session.opened", "host": {"name": "x"}, "data": {}}'
    )
    found = read({"sample": "opened", "decision": {}}, "x", tmp_path / "cases")
    assert found.input["event"]["type"] == "session.opened"
    assert found.input["standing"] == SEALED
