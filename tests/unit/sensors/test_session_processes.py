"""Sessions that are looked at: woken by what is recorded, quiet otherwise, one event for each thing."""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from hostseal.core.attribution import ProcessFacts, Proof
from hostseal.core.event import Event, EventType, Host
from hostseal.core.interactive import Stdin
from hostseal.core.processes import Process
from hostseal.open_sessions import OpenSessions
from hostseal.sensors.session_commands import SessionCommands
from hostseal.sensors.session_processes import SessionProcesses

SESSION = {
    "user": "alice", "service": "sshd", "source": "192.0.2.7", "connection": "192.0.2.7 50000 192.0.2.1 22",
    "audit_session": 7, "login_uid": 2001, "logind_session": "7", "key": None, "leader_pid": 10, "seen_by": "pam",
}  # fmt: skip
SSHD = Process(
    pid=11,
    start=1,
    parent=10,
    uid=2001,
    effective_uid=2001,
    audit_session=7,
    login_uid=2001,
    exe="/usr/sbin/sshd",
)
SHELL = replace(
    SSHD, pid=12, parent=11, exe="/usr/bin/bash", argv=("bash",), stdin=Stdin.PIPE, channel="12:7"
)
ROOT = replace(SSHD, pid=14, parent=13, uid=0, effective_uid=0, exe="/usr/bin/id", argv=("id",))
SUDO = replace(SSHD, pid=13, parent=12, uid=0, effective_uid=0, exe="/usr/bin/sudo", argv=("sudo", "id"))


class Clock:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return datetime(2026, 1, 2, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.seconds


class World:
    """The sensor with its surroundings: what /proc shows, and what was emitted."""

    def __init__(self, *, record: bool = False) -> None:
        self.clock, self.table, self.looks = Clock(), {}, 0
        self.emitted: list[tuple[str, Mapping[str, Any]]] = []
        self.keys: list[str] = []
        commands = SessionCommands(self.emit, self.clock) if record else None
        self.sensor = SessionProcesses(self.emit, OpenSessions(self.clock), self.clock, self.look, commands)

    def emit(self, event_type: str, data: Mapping[str, Any], *, sensor: str, key: str) -> str:
        self.emitted.append((event_type, data))
        self.keys.append(key)
        return key

    def look(self, sessions: set[int]) -> dict[int, Process]:
        self.looks += 1
        return {one.pid: one for one in self.table.values() if one.audit_session in sessions}

    def show(self, *processes: Process) -> None:
        self.table = {one.pid: one for one in processes}

    def tell(self, kind: EventType, data: dict[str, Any]) -> None:
        host = Host(name="web-1", machine_id="0" * 32, boot_id="0" * 32)
        self.sensor.told(Event(id="e", type=kind, time="", seq=1, host=host, data=data))

    def pass_time(self, seconds: float) -> None:
        """Let the sensor do what is due after that time."""
        self.clock.seconds += seconds
        self.sensor.wake()
        stop = OneTurn()
        self.sensor.run(stop)

    def types(self) -> list[str]:
        return [str(kind) for kind, _ in self.emitted]


class OneTurn(threading.Event):
    """Is set after it was asked once."""

    def is_set(self) -> bool:
        before = super().is_set()
        self.set()
        return before


def open_world(*processes: Process, **options: bool) -> World:
    world = World(**options)
    world.tell(EventType.SESSION_OPENED, dict(SESSION))
    world.pass_time(0)
    world.show(SSHD, *processes)
    return world


def test_nothing_is_looked_at_while_no_session_is_open() -> None:
    world = World()
    world.pass_time(100)
    world.pass_time(100)
    assert world.looks == 0


def test_a_shell_on_a_pipe_is_reported_once() -> None:
    world = open_world(SHELL)
    world.pass_time(0.1)
    world.pass_time(10)
    world.pass_time(100)
    assert world.looks == 3
    (found,) = world.emitted
    assert found == (
        EventType.SESSION_CHANNEL,
        {
            "session": SESSION, "user": "alice", "source": "192.0.2.7", "kind": "interactive_command",
            "subsystem": None, "pty": None, "confidence": "exact", "number": None,
        },
    )  # fmt: skip


def test_another_user_is_reported_once_with_the_program() -> None:
    world = open_world(replace(SHELL, stdin=Stdin.TTY), SUDO, ROOT)
    world.pass_time(0.1)
    world.show(SSHD, replace(SHELL, stdin=Stdin.TTY), SUDO, replace(ROOT, pid=15, start=9))
    world.pass_time(10)
    (found,) = world.emitted
    assert found[1] == {
        "session": SESSION, "user": "alice", "target": "root", "via": "/usr/bin/sudo", "pid": 14, "confidence": "exact",
    }  # fmt: skip
    assert world.keys == ["privilege:7:0:/usr/bin/sudo"]


def test_what_is_left_is_reported_after_the_end_and_again_only_if_it_is_not_the_same() -> None:
    world = open_world()
    left = replace(SHELL, parent=1, exe="/usr/bin/tmux", argv=("tmux",), stdin=Stdin.OTHER)
    world.tell(EventType.SESSION_CLOSED, dict(SESSION))
    world.pass_time(0)
    world.show(left)
    world.pass_time(2)
    world.pass_time(30)
    assert world.emitted == [
        (
            EventType.SESSION_LEFT_BEHIND,
            {
                "session": SESSION,
                "processes": [{"pid": 12, "exe": "/usr/bin/tmux", "uid": 2001}],
                "count": 1,
                "confidence": "exact",
            },
        )
    ]
    world.pass_time(1000)
    assert world.looks == 2, "a session is forgotten after its second look"


def test_what_starts_after_the_first_look_is_found_by_the_second() -> None:
    world = open_world()
    world.tell(EventType.SESSION_CLOSED, dict(SESSION))
    world.pass_time(0)
    world.show()
    world.pass_time(2)
    world.show(replace(SHELL, parent=1))
    world.pass_time(30)
    assert EventType.SESSION_LEFT_BEHIND in world.types()


def test_a_login_shell_that_the_journal_told_of_is_no_command() -> None:
    world = open_world(replace(SHELL, argv=("-bash",)))
    world.tell(EventType.SESSION_CHANNEL, {"session": SESSION, "kind": "shell_no_pty", "pty": None})
    for seconds in (0.1, 1, 3, 10, 60):
        world.pass_time(seconds)
    assert world.emitted == []


def test_a_login_shell_that_nobody_told_of_is_a_command_after_a_while() -> None:
    world = open_world(replace(SHELL, argv=("-bash",)))
    world.tell(EventType.SESSION_CHANNEL, {"session": SESSION, "kind": "command", "pty": None})
    world.pass_time(0)
    world.pass_time(0.1)
    assert (world.looks, world.emitted) == (1, [])
    world.pass_time(3)
    assert world.types() == [EventType.SESSION_CHANNEL]


def test_an_adopted_session_is_watched() -> None:
    world = World()
    world.sensor.adopt(SESSION)
    world.pass_time(0)
    world.show(SSHD, SHELL)
    world.pass_time(1)
    assert world.types() == [EventType.SESSION_CHANNEL]


def test_what_was_left_behind_while_the_agent_was_down_is_found() -> None:
    world = World()
    world.sensor.ended(SESSION)
    world.pass_time(0)
    world.show(replace(SHELL, parent=1))
    world.pass_time(2)
    assert world.types()[0] == EventType.SESSION_LEFT_BEHIND


def test_a_session_that_is_open_and_on_record_is_not_taken_for_ended() -> None:
    world = World()
    world.sensor.adopt(SESSION)
    world.sensor.ended(SESSION)
    world.pass_time(0)
    world.show(SSHD)
    world.pass_time(2)
    assert world.emitted == []


def test_a_session_without_an_audit_id_is_not_watched_and_nothing_breaks() -> None:
    world = World()
    world.tell(EventType.SESSION_OPENED, {**SESSION, "audit_session": None})
    world.tell(EventType.SESSION_CLOSED, {**SESSION, "audit_session": None})
    world.sensor.adopt({**SESSION, "audit_session": None})
    world.pass_time(10)
    world.pass_time(10)
    assert (world.looks, world.emitted) == (0, [])


def test_a_program_executed_outside_every_session_is_no_concern() -> None:
    world = open_world(record=True)
    world.sensor.executed(facts(exe="/usr/bin/bash", audit_session=99))
    world.sensor.executed(facts(exe="/usr/bin/bash", audit_session=None))
    world.pass_time(10)
    assert world.emitted == []


def test_commands_are_batched_and_one_that_was_too_short_is_kept_without_its_arguments() -> None:
    world = open_world(record=True)
    world.sensor.executed(facts(exe="/usr/bin/true", pid=2**22 + 7))
    world.pass_time(0)
    world.pass_time(5)
    assert world.emitted == [
        (
            EventType.SESSION_COMMANDS,
            {
                "session": SESSION,
                "commands": [
                    {
                        "time": "2026-01-02T00:00:00.000000Z",
                        "pid": 2**22 + 7,
                        "uid": 2001,
                        "exe": "/usr/bin/true",
                        "argv": None,
                    }
                ],
                "missed": 0,
                "confidence": "inferred",
            },
        )
    ]


def test_commands_that_come_too_fast_are_counted() -> None:
    world = open_world(record=True)
    for _ in range(1000):
        world.sensor.executed(facts(exe="/usr/bin/true", pid=2**22 + 7))
    world.pass_time(0)
    world.pass_time(5)
    data = [data for kind, data in world.emitted if kind == EventType.SESSION_COMMANDS]
    assert sum(len(one["commands"]) + one["missed"] for one in data) == 1000
    assert sum(one["missed"] for one in data) > 0


def test_commands_are_kept_only_where_it_is_switched_on() -> None:
    world = open_world()
    world.sensor.executed(facts(exe="/usr/bin/true"))
    world.pass_time(10)
    assert world.emitted == []


def facts(**more: Any) -> ProcessFacts:
    return ProcessFacts(
        **{"pid": 12, "proof": Proof.ALIVE, "uid": 2001, "audit_session": 7, "login_uid": 2001, **more}
    )
