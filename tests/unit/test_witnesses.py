"""What the witnesses of logins say, put beside each other: told once, whoever tells it, and never believed blindly."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from hostseal.core.channel import Kind
from hostseal.core.event import Event, EventType, Host
from hostseal.core.session import WITNESS_GRACE_SECONDS, name_of
from hostseal.core.sshd_lines import Admitted
from hostseal.open_sessions import OpenSessions
from hostseal.sensors.sshd_processes import Serving, View
from hostseal.witnesses import FOREIGN, FORGED, LOOK_SECONDS, Witnesses

HOST = Host(name="web-1", machine_id="m", boot_id="b")
SHELL = Serving(
    leader=100,
    child=101,
    started=7,
    user="alice",
    kind=Kind.SHELL,
    pty="pts/0",
    audit_session=5,
    login_uid=1000,
)
ADMITTED = Admitted(leader=100, user="alice", source="192.0.2.7", port=50000, detailed=True)


def session(seen_by: str = "pam") -> dict[str, Any]:
    return {
        "user": "alice", "service": "sshd", "source": "192.0.2.7", "connection": "192.0.2.7 50000 192.0.2.1 22",
        "audit_session": 5, "login_uid": 1000, "logind_session": "5", "key": None, "leader_pid": 100,
        "seen_by": seen_by,
    }  # fmt: skip


class World:
    """Witnesses over a clock, a kernel's view and a logind of the test's own, and what they told."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.view, self.logind = View(), list[dict[str, Any]]()
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.keys: list[str] = []
        self.sessions = OpenSessions(self)
        self.witnesses = Witnesses(self.emit, self.sessions, self, lambda: self.view, self.open)

    def emit(self, event_type: str, data: Mapping[str, Any], *, sensor: str, key: str) -> str:
        self.told.append((str(event_type), dict(data)))
        self.keys.append(f"{sensor}:{key}")
        return key

    def open(self) -> Iterable[dict[str, Any]]:
        return self.logind

    def now(self) -> datetime:
        return datetime(2026, 11, 24, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def later(self, seconds: float) -> list[tuple[str, dict[str, Any]]]:
        """Let time pass; return what was told."""
        self.told.clear()
        self.seconds += seconds
        self.witnesses.report()
        return list(self.told)


def recorded(data: dict[str, Any], kind: EventType = EventType.SESSION_OPENED) -> Event:
    return Event(id="e", type=kind, time="2026-11-24T00:00:00.000000Z", seq=1, host=HOST, data=data)


def channel(kind: str = "shell", number: int | None = 0) -> Event:
    return recorded({"session": session(), "kind": kind, "number": number}, EventType.SESSION_CHANNEL)


def test_a_session_of_both_witnesses_is_no_news() -> None:
    world = World()
    world.sessions.opened(session())
    world.sessions.witnessed(ADMITTED)
    world.sessions.channel(name_of(session()), 0, Kind.SHELL)
    assert world.later(WITNESS_GRACE_SECONDS + 1) == []


def test_a_session_that_the_journal_does_not_name_is_a_disagreement_once() -> None:
    world = World()
    world.sessions.opened(session())
    world.sessions.channel(name_of(session()), None, Kind.COMMAND)
    [(kind, data)] = world.later(WITNESS_GRACE_SECONDS + 1)
    assert (kind, data["missing"], data["user"]) == (EventType.WITNESSES_DISAGREE, ["journal"], "alice")
    assert world.later(WITNESS_GRACE_SECONDS + 1) == []


def test_a_session_that_the_hook_does_not_tell_of_is_a_disagreement() -> None:
    world = World()
    world.sessions.witnessed(ADMITTED)
    told = world.later(WITNESS_GRACE_SECONDS + 1)
    disagreed = [data for kind, data in told if kind == EventType.WITNESSES_DISAGREE]
    assert [(data["missing"], data["seen_by"]) for data in disagreed] == [(["pam"], ["journal"])]


def test_a_session_that_began_before_the_agent_is_told_with_what_it_has_now() -> None:
    world = World()
    world.logind, world.view = [session("logind")], View(sessions=(SHELL,))
    world.witnesses.begin([], [])
    assert [kind for kind, _ in world.told] == [EventType.SESSION_OPENED, EventType.SESSION_CHANNEL]
    (_, opened), (_, channel) = world.told
    assert (opened["seen_by"], channel["kind"], channel["pty"], channel["confidence"]) == (
        "logind", Kind.SHELL, "pts/0", "inferred",
    )  # fmt: skip


def test_without_logind_the_kernel_shows_it_and_a_restart_tells_the_same_event() -> None:
    keys = []
    for _ in range(2):
        world = World()
        world.view = View(sessions=(SHELL,))
        world.witnesses.begin([], [])
        assert world.told[0][1]["seen_by"] == "processes"
        keys.append(world.keys)
    assert keys[0] == keys[1]


def test_a_session_in_the_record_is_not_told_again() -> None:
    world = World()
    world.logind, world.view = [session("logind")], View(sessions=(SHELL,))
    world.witnesses.begin([recorded(session())], [])
    assert EventType.SESSION_OPENED not in [kind for kind, _ in world.told]


def in_the_record(*channels: Event) -> World:
    """Return a world whose agent began anew while alice's shell was open; the journal's cursor knows of its login."""
    world = World()
    world.logind, world.view = [session("logind")], View(sessions=(SHELL,))
    world.witnesses.begin([recorded(session()), *channels], [])
    world.sessions.witnessed(ADMITTED)
    return world


def test_a_session_in_the_record_that_ends_after_a_restart_has_not_been_without_a_channel() -> None:
    world = in_the_record(channel())
    world.logind, world.view = [], View()
    world.sessions.closed(session())
    assert world.later(WITNESS_GRACE_SECONDS + 1) == []


def test_a_session_in_the_record_that_stays_open_is_not_classified_again_by_a_later_look() -> None:
    world = in_the_record(channel())
    assert [world.later(LOOK_SECONDS / 2) for _ in range(4)] == [[], [], [], []]


def test_a_session_whose_channel_is_not_in_the_record_yet_is_classified_once() -> None:
    world = in_the_record(channel("a kind of a later version"))
    [(kind, data)] = [told for _ in range(4) for told in world.later(LOOK_SECONDS / 2)]
    assert (kind, data["kind"], data["confidence"]) == (EventType.SESSION_CHANNEL, Kind.SHELL, "inferred")


def test_a_stronger_use_of_a_session_in_the_record_is_told() -> None:
    world = in_the_record(channel("command"))
    [(kind, data)] = [told for _ in range(4) for told in world.later(LOOK_SECONDS / 2)]
    assert (kind, data["kind"]) == (EventType.SESSION_CHANNEL, Kind.SHELL)


def test_a_refused_session_is_none_without_a_channel() -> None:
    world = World()
    world.sessions.opened(session())
    world.sessions.refused(session())
    world.sessions.witnessed(ADMITTED)
    assert world.later(WITNESS_GRACE_SECONDS + 1) == []


def test_lines_that_are_read_again_of_a_session_that_ended_in_a_restart_name_no_new_one() -> None:
    world = World()
    world.witnesses.begin([recorded(session())], [])
    world.sessions.witnessed(ADMITTED)
    world.sessions.closed(session())
    assert world.later(WITNESS_GRACE_SECONDS + 1) == []
    known = world.sessions.known(name_of(session()))
    assert known is not None
    assert (known.data, known.closed) == (session(), True)


def test_a_pid_of_the_record_that_is_used_again_is_another_session() -> None:
    world = World()
    world.witnesses.begin([recorded(session())], [])
    world.sessions.witnessed(msgspec.structs.replace(ADMITTED, port=50001))
    told = world.later(WITNESS_GRACE_SECONDS + 1)
    assert [data["missing"] for kind, data in told if kind == EventType.WITNESSES_DISAGREE] == [["pam"]]


def test_a_flood_of_forged_lines_is_told_at_once_and_then_once_a_minute() -> None:
    world = World()
    for number in range(1000):
        world.witnesses.forged(1000, str(number))
    assert [(data["why"], data["count"]) for _, data in world.told] == [(FORGED, 1)]
    assert [data["count"] for _, data in world.later(60)] == [999]


def test_an_agent_that_ends_tells_first_what_would_have_been_told_later() -> None:
    world = World()
    for number in range(10):
        world.witnesses.forged(1000, str(number))
    world.witnesses.end()
    assert [data["count"] for _, data in world.told] == [1, 9]
    assert len(set(world.keys)) == 2
    world.witnesses.end()
    assert len(world.told) == 2


def test_a_users_own_sshd_is_told_once() -> None:
    world = World()
    world.view = View(foreign=((1000, 77),))
    told = world.later(LOOK_SECONDS)
    assert [(data["why"], data["missing"]) for _, data in told] == [(FOREIGN, ["sshd"])]
    assert world.later(LOOK_SECONDS) == []
