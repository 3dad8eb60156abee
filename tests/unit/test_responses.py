"""What follows from a decision on SSH: a repeat finds what is there, a level that moved on is not put in force, drift is repaired."""

import json
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hostseal.actions.request import ActionFolder
from hostseal.core.decision import Action, Decision, LockdownTerms
from hostseal.core.event import Event, EventType, Host
from hostseal.core.lockdown import Level, drop_in
from hostseal.errors import LockdownError, SpoolError
from hostseal.lockdown_file import NAME, LockdownFile
from hostseal.responses import Responses
from hostseal.spool.records import ActionState, ActionTask
from hostseal.spool.sqlite import SqliteSpool

HOST = Host(name="web-1", machine_id="m" * 32, boot_id="b" * 32)
SESSION = {"user": "alice", "audit_session": 12, "key": None}
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TERMS = LockdownTerms(accounts=("deploy",))


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds


class Bench:
    """The responses on a folder in place of the agent's state and of sshd's drop-in."""

    def __init__(self, folder: Path, *sessions: dict[str, Any]) -> None:
        self.state, self.clock = folder, Clock()
        self.drop_in = folder / "05.conf"
        self.spool = SqliteSpool(folder / "spool.db")
        self.lockdown = LockdownFile(folder / NAME)
        self.responses = Responses(
            self.spool,
            self.lockdown,
            self.clock,
            lambda *_, **__: None,
            folder,
            lambda: sessions,
            drop_in=self.drop_in,
        )

    def decide(self, event: Event, *actions: Action, terms: LockdownTerms = TERMS) -> None:
        decision = Decision(allowed=True, violations=(), findings=(), actions=actions, lockdown=terms)
        self.responses.act(event, decision, "incident", NOW)

    def queued(self) -> list[ActionTask]:
        """Take all actions from the queue, oldest first."""
        found = []
        while (task := self.spool.next_action()) is not None:
            self.spool.action_state(replace(task, state=ActionState.DONE))
            found.append(task)
            self.clock.seconds += 1
        return found


def event(seq: int, kind: EventType = EventType.SESSION_CHANNEL, **data: Any) -> Event:
    return Event(id=f"e{seq}", type=kind, time="t", seq=seq, host=HOST, data=data)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize(
    "about",
    [
        event(1, session=SESSION),
        event(1, EventType.SESSION_OPENED, **SESSION),
        event(1, EventType.FILES_CHANGED, writer={"session": SESSION}),
        event(1, EventType.OPERATOR_ASKED, session=SESSION),
    ],
    ids=lambda about: str(about.type),
)
def test_a_session_is_ended_once_whatever_told_of_it(bench: Bench, about: Event) -> None:
    bench.decide(about, Action.TERMINATE_SESSION)
    bench.decide(replace(about, id="e2", seq=2), Action.TERMINATE_SESSION)
    [task] = bench.queued()
    assert (task.action, task.incident, task.event) == ("terminate_session", "incident", "e1")
    told = json.loads((ActionFolder(bench.state, task.id).path / "session.json").read_bytes())
    assert told == {"audit_session": 12, "boot_id": "b" * 32, "user": "alice"}


@pytest.mark.parametrize(
    "session", [None, {"user": "alice"}, {"audit_session": None}, {"audit_session": True}]
)
def test_a_session_that_is_not_known_is_not_guessed(bench: Bench, session: object) -> None:
    bench.decide(event(1, session=session), Action.TERMINATE_SESSION)
    assert bench.queued() == []


def test_a_lockdown_is_on_disk_before_it_is_queued_and_a_repeat_queues_nothing_new(bench: Bench) -> None:
    for _ in range(2):
        bench.decide(event(1, session=None), Action.LOCKDOWN_CLOSED)
    assert LockdownFile(bench.state / NAME).now == bench.lockdown.now
    assert bench.lockdown.now.level is Level.CLOSED
    [task] = bench.queued()
    assert (task.action, task.incident) == ("lockdown_closed", "incident")


def test_a_rise_that_was_written_and_not_queued_is_queued_by_the_repeat(bench: Bench, tmp_path: Path) -> None:
    bench.decide(event(1), Action.LOCKDOWN_CLOSED)
    (folder := tmp_path / "after").mkdir()
    (folder / NAME).write_bytes((bench.state / NAME).read_bytes())
    again = Bench(folder)
    again.decide(event(1), Action.LOCKDOWN_CLOSED)
    assert [task.action for task in again.queued()] == ["lockdown_closed"]


def test_what_the_playbook_reads_is_the_level_of_now(bench: Bench) -> None:
    bench.decide(event(1), Action.LOCKDOWN_AUTOMATION_ONLY)
    [task] = bench.queued()
    declared = bench.responses.prepare(task)
    folder = ActionFolder(bench.state, task.id).path
    assert (folder / "lockdown.conf").read_bytes() == drop_in(Level.AUTOMATION_ONLY, TERMS)
    assert (folder / "candidate.conf").read_text() == (
        f"Include {folder}/lockdown.conf\nInclude /etc/ssh/sshd_config\n"
    )
    plan = json.loads((folder / "plan.json").read_bytes())
    assert (plan["level"], plan["without_break_glass"]) == ("automation_only", False)
    assert list(declared) == ["/etc/ssh/sshd_config.d/05-hostseal-lockdown.conf"]


def test_a_name_that_sshd_would_misread_stops_the_lockdown(bench: Bench) -> None:
    bench.decide(event(1), Action.LOCKDOWN_AUTOMATION_ONLY, terms=LockdownTerms(accounts=("*",)))
    [task] = bench.queued()
    with pytest.raises(LockdownError):
        bench.responses.prepare(task)
    assert not bench.responses.in_force()


def test_a_level_that_has_moved_on_is_superseded(bench: Bench) -> None:
    bench.decide(event(1), Action.LOCKDOWN_AUTOMATION_ONLY)
    bench.decide(event(2), Action.LOCKDOWN_CLOSED)
    lower, higher = bench.queued()
    assert (bench.responses.superseded(lower), bench.responses.superseded(higher)) == (True, False)
    release(bench, 3)
    [opening] = bench.queued()
    assert (opening.action, bench.responses.prepare(opening)) == (
        "release",
        {"/etc/ssh/sshd_config.d/05-hostseal-lockdown.conf": None},
    )
    assert bench.responses.superseded(higher)
    bench.decide(event(4), Action.LOCKDOWN_CLOSED)
    assert bench.responses.superseded(opening)
    assert [task.action for task in bench.queued()] == ["lockdown_closed"]


def release(bench: Bench, seq: int, how: str = "signed") -> None:
    words = {"incident": "incident", "person": "carol", "reason": "drill", "nonce": "n"}
    bench.decide(event(seq, EventType.LOCKDOWN_RELEASED, how=how, **words))


def test_a_purge_on_record_opens_nothing(bench: Bench) -> None:
    bench.decide(event(1), Action.LOCKDOWN_CLOSED)
    release(bench, 2, "purge")
    assert bench.lockdown.now.level is Level.CLOSED
    assert [task.action for task in bench.queued()] == ["lockdown_closed"]


def test_drift_is_repaired_at_a_falling_pace(bench: Bench) -> None:
    bench.responses.repair(HOST)
    bench.decide(event(1), Action.LOCKDOWN_CLOSED)
    bench.responses.repair(HOST)
    assert len(bench.queued()) == 1, "the first run is not over yet"
    began, times = bench.clock.seconds, []
    while len(times) < 4:
        repaired = bench.responses.repair(HOST)
        assert bool(bench.queued()) is repaired
        if repaired:
            times.append(bench.clock.seconds - began)
        bench.clock.seconds += 5
    pauses = [later - sooner for sooner, later in pairwise(times)]
    assert pauses == sorted(pauses)
    assert pauses[0] >= 30
    bench.drop_in.write_bytes(drop_in(Level.CLOSED, TERMS) or b"")
    bench.clock.seconds += 10_000
    bench.responses.repair(HOST)
    assert bench.queued() == []
    bench.drop_in.write_bytes(b"# nothing\n")
    bench.responses.repair(HOST)
    assert [task.action for task in bench.queued()] == ["lockdown_closed"]


def test_a_release_that_did_not_get_through_is_tried_again(bench: Bench) -> None:
    bench.drop_in.write_bytes(b"# somebody's\n")
    assert not bench.responses.repair(HOST), "what no release is on record for is left shut"
    bench.decide(event(1), Action.LOCKDOWN_CLOSED)
    bench.drop_in.write_bytes(drop_in(Level.CLOSED, TERMS) or b"")
    release(bench, 2)
    assert not bench.responses.repair(HOST), "the first run is not over yet"
    _, dead = bench.queued()
    assert not bench.responses.in_force()
    assert bench.responses.repair(HOST)
    [again] = bench.queued()
    assert (again.action, again.incident) == ("release", "incident")
    assert (again.id == dead.id, bench.responses.superseded(again)) == (False, False)
    assert not bench.responses.repair(HOST), "not before its time"
    bench.responses.finished(again, HOST)
    assert bench.responses.repair(HOST), "it was there again after the release had succeeded"
    assert [task.action for task in bench.queued()] == ["release"]
    bench.drop_in.unlink()
    bench.responses.finished(again, HOST)
    assert not bench.responses.repair(HOST)


def test_persons_open_sessions_end_where_the_site_says_so(tmp_path: Path) -> None:
    glass = {"certificate": {"ca_fingerprint": "SHA256:glass"}}
    sessions = (
        {**SESSION, "audit_session": 1, "user": "deploy"},
        {**SESSION, "audit_session": 2},
        {**SESSION, "audit_session": 3, "key": glass},
    )
    bench = Bench(tmp_path, *sessions)
    bench.decide(event(1), Action.LOCKDOWN_CLOSED)
    [task] = bench.queued()
    bench.responses.finished(task, HOST)
    assert bench.queued() == []
    bench.lockdown.change(
        lambda now: replace(
            now, terms=replace(TERMS, existing_sessions="terminate", authorities=("SHA256:glass",))
        )
    )
    bench.responses.finished(task, HOST)
    [ended] = bench.queued()
    told = json.loads((ActionFolder(bench.state, ended.id).path / "session.json").read_bytes())
    assert (told["user"], told["audit_session"]) == ("alice", 2)


def test_a_damaged_file_is_never_an_open_host(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("{")
    with pytest.raises(SpoolError, match="the lockdown cannot be read"):
        LockdownFile(tmp_path / NAME)
