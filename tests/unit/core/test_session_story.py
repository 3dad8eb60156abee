"""The story of one session, out of a record of many."""

import json
from pathlib import Path
from typing import Any

import pytest

from hostseal.core.session_story import SessionName, choose, name_of, summaries, tell
from hostseal.errors import SessionError

SAMPLES = Path(__file__).parents[2] / "samples" / "events"
ALICE = SessionName(boot_id="fedcba98-7654-3210-fedc-ba9876543210", audit_session=12)
ORDER = (
    "login_requested", "session_opened_person", "channel_shell", "privilege_sudo", "files_changed_by_person",
    "session_commands", "session_closed", "left_behind_by_person",
)  # fmt: skip
FLAG = {
    "actions": ["flag"],
    "would": [],
    "findings": [{"rule": "r", "severity": "high", "message": "m.", "controls": []}],
}
NOTHING: dict[str, Any] = {"actions": [], "would": [], "findings": []}


def event(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_bytes())
    return loaded


def record(name: str, decision: dict[str, Any] | None = NOTHING) -> dict[str, Any]:
    return {
        "event": event(name),
        "decision": decision,
        "decision_id": "d",
        "decided": "2026-01-02T03:04:07.000000Z",
    }


def whole() -> list[dict[str, Any]]:
    return [record(name, FLAG if name == "channel_shell" else NOTHING) for name in ORDER]


def test_each_sample_names_its_session_or_none() -> None:
    for path in sorted(SAMPLES.glob("*.json")):
        name = name_of(event(path.stem))
        assert name is None or name.boot_id == ALICE.boot_id
    assert [name_of(event(name)) for name in ORDER] == [None, *[ALICE] * 7]


def test_a_session_in_one_line() -> None:
    (one,) = summaries(whole())
    assert (one.name, one.user, one.source, one.logind_session) == (ALICE, "alice", "192.0.2.7", "12")
    assert (one.event, one.channels, one.actions) == (
        event("session_opened_person")["id"],
        ("shell",),
        ("flag",),
    )
    assert one.until == event("session_closed")["time"]


def test_the_story_has_everything_once_and_nothing_of_others() -> None:
    run = {
        "id": "a", "action": "flag", "incident": "i", "event": event("channel_shell")["id"], "created": "c",
        "state": "done", "attempts": 1, "error": None, "finished": "f",
    }  # fmt: skip
    story = tell(ALICE, [*whole(), record("channel_automation_with_pty")], [run, {**run, "event": "another"}])
    assert story.session == event("session_opened_person")["data"]
    assert (story.opened, story.closed) == (
        event("session_opened_person")["time"],
        event("session_closed")["time"],
    )
    assert [len(part) for part in (story.channels, story.privilege, story.changes, story.left_behind)] == [
        1,
        1,
        1,
        1,
    ]
    assert story.commands is not None
    assert [d.actions for d in story.decisions] == [("flag",)]
    assert [(r.action, r.state, r.time) for r in story.runs] == [("flag", "done", "f")]
    assert story.others == ()
    assert "session" not in story.channels[0].data


def test_a_session_is_chosen_by_any_of_its_names() -> None:
    known = summaries(whole())
    events = {event(name)["id"]: ALICE for name in ORDER[1:]}
    for wanted in ("12", event("session_opened_person")["id"], event("session_closed")["id"]):
        assert choose(known, wanted, events).name == ALICE


def test_a_session_nobody_knows_is_an_error() -> None:
    with pytest.raises(SessionError, match="no session 99"):
        choose(summaries(whole()), "99", {})


def test_a_number_that_two_boots_have_is_an_error_that_lists_both() -> None:
    second = record("session_opened_password")
    second["event"]["host"]["boot_id"] = "0" * 32
    second["event"]["data"]["audit_session"] = 12
    with pytest.raises(SessionError) as caught:
        choose(summaries([*whole(), second]), "12", {})
    assert "12 names 2 sessions" in str(caught.value)
    assert event("session_opened_person")["id"] in caught.value.hint
    assert second["event"]["id"] in caught.value.hint


def test_a_session_whose_opening_was_not_recorded_has_a_story() -> None:
    story = tell(ALICE, [record("channel_shell")], [])
    assert (story.opened, story.closed, story.commands) == (None, None, None)
    assert story.session["user"] == "alice"


def by_job(session: dict[str, Any]) -> dict[str, Any]:
    tied = record("files_changed_by_program")
    via = {"kind": "cron", "path": "/etc/cron.d/x", "session": session}
    tied["event"]["data"]["writer"]["via"] = via
    return tied


def test_what_a_session_laid_and_what_came_of_it_stand_apart_from_what_it_did() -> None:
    lays = record("files_changed_by_person")
    lays["event"]["data"]["paths"][0].update(path="/etc/cron.d/x", lays="cron")
    own = event("session_opened_person")["data"]
    others = [{**own, "audit_session": 13}, {**own, "connection": "198.51.100.1 1 192.0.2.1 22"}]
    job = by_job(own)
    story = tell(ALICE, [record("session_opened_person"), lays, job, *map(by_job, others)], [])
    assert [(one.path, one.kind) for one in story.laid] == [("/etc/cron.d/x", "cron")]
    assert [one.id for one in story.came_of] == [job["event"]["id"]]
    assert [one.id for one in story.changes] == [lays["event"]["id"]]


def test_what_was_taken_away_is_not_laid() -> None:
    gone = record("files_changed_by_person")
    gone["event"]["data"]["paths"][0].update(path="/etc/cron.d/x", lays="cron", what=["deleted"])
    assert tell(ALICE, [gone], []).laid == ()
