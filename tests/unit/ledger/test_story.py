"""Why was this host replaced: the story that the ledger's records tell, and what it says when some are missing."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hostseal.cli.record import summary
from hostseal.clock import SystemClock
from hostseal.ledger import store
from hostseal.ledger.book import Ledger
from hostseal.ledger.entry import Entry, Record
from hostseal.ledger.search import Query
from hostseal.ledger.story import Story, tell

HOST = "web-1-g1"
KEY = {"method": "publickey", "fingerprint": "SHA256:alice", "certificate": None}
ALICE = {"user": "alice", "source": "192.0.2.9", "key": KEY, "audit_session": 7}
BOB = {**ALICE, "user": "bob", "audit_session": 8}


class Book:
    """Writes records as the agent, OPA and the controller do."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.second = ledger, 0

    def put(self, kind: str, name: str, body: dict[str, Any], **fields: Any) -> None:
        self.second += 1
        time = f"2026-11-24T12:00:{self.second:02}.000000Z"
        entry = Entry(
            kind=kind, host=HOST, id=name, writer="w", time=time, body=json.dumps(body).encode(), **fields
        )
        store.append(self.ledger.database, [entry], time)

    def event(
        self, name: str, kind: str, data: dict[str, Any], actions: tuple[str, ...] = (), boot: str = "b"
    ) -> None:
        event = {"id": name, "type": kind, "host": {"boot_id": boot}, "data": data}
        finding = {"rule": "r", "severity": "high", "message": f"{name} happened", "controls": ["NIST CM-5"]}
        decision = {"findings": [finding] if actions else [], "actions": list(actions)}
        body = {"event": event, "decision_id": f"d-{name}", "decision": decision}
        self.put("event", name, body, type=kind, seq=self.second + 1, ref=f"d-{name}")

    def logged(self, name: str) -> None:
        body = {"decision_id": f"d-{name}", "bundles": {"hostseal": {"revision": "rev-1"}}}
        self.put("decision", f"d-{name}", body, type="session.channel", ref=name)

    def flag(self, incident: str, cause: str) -> None:
        body = {"host": HOST, "reasons": ["alice opened a shell"], "deadline": None}
        self.put("flag", incident, body, type="policy", ref=cause)

    def step(self, incident: str, step: str, why: str = "") -> None:
        body = {
            "incident": incident, "token": "t", "step": step, "evidence": "sha256:e", "why": why,
            "successor": {"slot": "web-1", "generation": 2, "id": "i-2", "image": "sha256:i", "name": "web-1-g2"},
        }  # fmt: skip
        self.put("replacement", f"t:{step}", body, type=step, ref=incident)

    def story(self, incident: str | None = None) -> Story | None:
        return tell(list(self.ledger.records(Query(host=HOST))), incident)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Ledger.make(tmp_path, SystemClock()) as ledger:
        yield Book(ledger)


def test_the_story_goes_from_the_key_press_to_the_new_host_and_leaves_others_out(book: Book) -> None:
    book.event("e0", "session.opened", {**ALICE, "user": "mallory"}, ("suspect",), boot="an earlier boot")
    book.event("e1", "session.opened", BOB, ("suspect",))
    book.event("e2", "session.opened", ALICE, ("suspect",))
    book.event("e3", "session.channel", {"session": BOB, "kind": "command"}, ("lift",))
    book.event("e4", "session.channel", {"session": ALICE, "kind": "shell"}, ("flag",))
    book.logged("e4")
    book.flag("incident-1", "e4")
    book.event(
        "e5", "files.changed", {"writer": {"session": ALICE}, "paths": [{"path": "/etc/hosts"}]}, ("flag",)
    )
    book.put(
        "action",
        "a-1:done:1",
        {"state": "done", "attempts": 1, "finished": None},
        type="flag",
        ref="incident-1",
    )
    for step in ("replacing", "verifying", "draining", "retired"):
        book.step("incident-1", step)
    story = book.story()
    assert story is not None
    assert story.login is not None
    assert (story.login.user, story.login.key, story.since) == (
        "alice",
        "SHA256:alice",
        story.chapters[0].time,
    )
    assert [chapter.event for chapter in story.chapters] == ["e2", "e4", "e5"]
    assert [(chapter.logged, chapter.revision) for chapter in story.chapters] == [
        (False, None), (True, "rev-1"), (False, None),
    ]  # fmt: skip
    assert story.chapters[1].findings[0].sentence == "e4 happened"
    assert [run.state for run in story.playbooks] == ["done"]
    (replacement,) = story.replacements
    assert [step.step for step in replacement.steps] == ["replacing", "verifying", "draining", "retired"]
    assert replacement.successor["name"] == "web-1-g2"


def test_a_flag_that_no_session_raised_has_its_event_and_no_login(book: Book) -> None:
    book.event(
        "e1", "files.changed", {"writer": {"session": None, "exe": "/bin/sed"}, "paths": []}, ("flag",)
    )
    book.flag("incident-1", "e1")
    story = book.story()
    assert story is not None
    assert story.login is None
    assert [chapter.event for chapter in story.chapters] == ["e1"]
    assert story.replacements == ()


def test_a_flag_of_the_ledgers_own_is_told_without_events(book: Book) -> None:
    book.put(
        "flag", "silent-1", {"host": HOST, "reasons": ["not heard for 15 s"], "deadline": None}, type="silent"
    )
    story = book.story()
    assert story is not None
    assert (story.cause, story.reasons, story.chapters) == ("silent", ("not heard for 15 s",), ())


def test_the_newest_incident_is_told_unless_one_is_named(book: Book) -> None:
    for number in (1, 2):
        book.event(f"e{number}", "session.channel", {"session": ALICE, "kind": "shell"}, ("flag",))
        book.flag(f"incident-{number}", f"e{number}")
    told = {named: story.incident for named in (None, "incident-1") if (story := book.story(named))}
    assert told == {None: "incident-2", "incident-1": "incident-1"}
    assert book.story("incident-3") is None


def test_without_a_flag_there_is_no_story(book: Book) -> None:
    book.event("e1", "session.opened", ALICE, ("suspect",))
    assert book.story() is None


def test_what_a_host_says_later_does_not_change_who_logged_in(book: Book) -> None:
    book.event("e1", "session.opened", ALICE, ("suspect",))
    book.event("e2", "session.channel", {"session": ALICE, "kind": "shell"}, ("flag",))
    book.flag("incident-1", "e2")
    book.event("e3", "session.opened", {**ALICE, "user": "bob"}, ("suspect",))
    story = book.story()
    assert story is not None
    assert story.login is not None
    assert (story.login.user, story.position) == ("alice", 1)
    assert [chapter.event for chapter in story.chapters] == ["e1", "e2", "e3"]


@given(st.recursive(st.none() | st.integers() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=2) | st.dictionaries(
    st.sampled_from(["event", "data", "session", "writer", "audit_session", "decision", "findings", "actions", "paths", "host", "boot_id"]),
    inner, max_size=4), max_leaves=10))  # fmt: skip
def test_no_record_of_a_host_keeps_its_story_from_being_told(body: object) -> None:
    record = Record(
        position=1, hash="", kind="event", type="session.opened", host=HOST, id="e1", writer="w", time="t",
        received="2026-11-24T12:00:00.000000Z", seq=1, user="", key="", rules=(), ref="d", body=body,
    )  # fmt: skip
    flag = replace(record, position=2, kind="flag", type="policy", id="i", ref="e1")
    story = tell([record, flag, replace(record, position=3, kind="action", ref="i")])
    assert story is not None
    for chapter in story.chapters:
        assert summary({"type": chapter.type, "data": chapter.data}) is not None
