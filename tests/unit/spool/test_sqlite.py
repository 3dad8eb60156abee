"""The spool: order, redelivery, and what happens when there is no room or the file is no spool."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from hostseal.config.settings import SpoolSettings
from hostseal.core.decision import Decision
from hostseal.core.event import Event, EventType, Host
from hostseal.errors import SpoolError, SpoolFullError
from hostseal.spool.records import ActionState, ActionTask, TaskState
from hostseal.spool.sqlite import SqliteSpool
from hostseal.state import SEQ_JUMP, open_state

HOST = Host(name="h", machine_id="m", boot_id="b")
NOTHING = Decision(allowed=True, violations=(), findings=(), actions=())


def event(name: str, seq: int, kind: EventType = EventType.SESSION_OPENED, size: int = 0) -> Event:
    return Event(id=name, type=kind, time="t", seq=seq, host=HOST, data={"user": "x" * size})


def put(spool: SqliteSpool, name: str, kind: EventType = EventType.SESSION_OPENED, size: int = 0) -> Event:
    return spool.put(lambda seq: event(name, seq, kind, size))


def test_events_come_in_their_order_and_stay_until_acknowledged(tmp_path: Path) -> None:
    spool = SqliteSpool(tmp_path / "spool.db")
    assert [put(spool, name).seq for name in ("a", "b")] == [1, 2]
    head = spool.head()
    assert head is not None
    assert head.event.id == "a"
    spool.close()
    spool = SqliteSpool(tmp_path / "spool.db")
    spool.decided("a", "d1", NOTHING, "now")
    again = spool.head()
    assert again is not None
    assert (again.event.id, again.state, again.decision_id) == ("a", TaskState.DECIDED, "d1")
    spool.done("a", "now")
    head = spool.head()
    assert head is not None
    assert head.event.id == "b"
    assert spool.pending() == 1


def test_a_known_event_is_not_stored_twice_and_takes_no_seq(tmp_path: Path) -> None:
    spool = SqliteSpool(tmp_path / "spool.db")
    assert put(spool, "a") == put(spool, "a")
    assert put(spool, "b").seq == 2


def test_a_decision_is_stored_once(tmp_path: Path) -> None:
    spool = SqliteSpool(tmp_path / "spool.db")
    put(spool, "a")
    spool.decided("a", "d1", NOTHING, "now")
    spool.decided("a", "d2", NOTHING, "later")
    task = spool.task("a")
    assert task is not None
    assert task.decision_id == "d1"


def test_an_action_is_queued_once(tmp_path: Path) -> None:
    spool = SqliteSpool(tmp_path / "spool.db")
    task = ActionTask(id="x", action="flag", incident="i", event="e", created="t", state=ActionState.QUEUED)
    spool.queue_action(task)
    spool.queue_action(task)
    assert spool.next_action() == task


def test_what_was_running_when_the_agent_ended_comes_before_what_is_due(tmp_path: Path) -> None:
    spool = SqliteSpool(tmp_path / "spool.db")
    running = ActionTask(
        id="x", action="flag", incident="i", event="e", created="t", state=ActionState.QUEUED
    )
    spool.queue_action(running)
    running = replace(running, state=ActionState.RUNNING, attempts=2, next_try=1_000_000.0)
    spool.action_state(running)
    spool.queue_action(replace(running, id="y", state=ActionState.QUEUED, attempts=0, next_try=0.0))
    assert spool.next_action() == running


def test_a_damaged_spool_is_set_aside_whole_and_seq_goes_on_beyond_it(tmp_path: Path) -> None:
    (tmp_path / "spool.db").write_bytes(b"not a database" * 1000)
    spool, _, aside = open_state(tmp_path, SpoolSettings())
    assert aside is not None
    assert Path(aside).read_bytes() == b"not a database" * 1000
    assert put(spool, "a").seq == SEQ_JUMP


def test_a_standing_that_cannot_be_read_is_never_taken_for_sealed(tmp_path: Path) -> None:
    (tmp_path / "flag.json").write_text('{"incident":')
    with pytest.raises(SpoolError, match="standing"):
        open_state(tmp_path, SpoolSettings())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB of its own."""
    if os.geteuid() != 0:
        pytest.fail("this test mounts a small tmpfs: run it as root")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=True, timeout=30)
    yield disk
    subprocess.run(["umount", disk], check=True, timeout=30)


def fill(spool: SqliteSpool) -> int:
    for stored in range(10_000):
        try:
            put(spool, f"bulk{stored}", EventType.FILES_CHANGED, 4096)
        except SpoolFullError:
            return stored
    pytest.fail("40 MB fitted into 4 MiB")


def test_a_full_disk_refuses_bulk_first_and_a_session_event_last(small_disk: Path) -> None:
    spool = SqliteSpool(small_disk / "spool.db", reserve_bytes=1 << 20)
    stored = fill(spool)
    assert put(spool, "login", EventType.SESSION_OPENED).id == "login"
    assert spool.pending() == stored + 1
    head = spool.head()
    assert head is not None
    assert head.event.id == "bulk0"
    spool.close()


def test_what_is_kept_costs_nothing_where_only_what_waits_is_asked_for(tmp_path: Path) -> None:
    spool = SqliteSpool(tmp_path / "spool.db")
    for number in range(500):
        put(spool, f"{number}")
        spool.done(f"{number}", "now")
    put(spool, "last")
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    spool._db.set_progress_handler(step, 100)
    head = spool.head()
    assert (head and head.event.id, spool.pending(), spool.pending(EventType.FILES_CHANGED)) == ("last", 1, 0)
    assert steps <= 3, "they read the whole table"
