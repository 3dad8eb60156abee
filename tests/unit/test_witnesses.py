"""What the witnesses of logins say, put beside each other: told once, whoever tells it, and never believed blindly."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

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
FORWARD = msgspec.structs.replace(SHELL, kind=Kind.FORWARD, pty=None)
ADMITTED = Admitted(leader=100, user="alice", source="192.0.2.7", port=50000, detailed=True)

FORWARDED = (EventType.SESSION_CHANNEL, Kind.FORWARD)


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

    def in_minutes(self) -> list[tuple[str, Any]]:
        """Let some minutes pass; return what was told: each type with the kind of a channel, or who is missing."""
        told = [told for _ in range(12) for told in self.later(15)]
        return [(kind, data.get("kind") or data.get("missing")) for kind, data in told]


def recorded(data: dict[str, Any], kind: EventType = EventType.SESSION_OPENED, identity: str = "e") -> Event:
    return Event(id=identity, type=kind, time="2026-11-24T00:00:00.000000Z", seq=1, host=HOST, data=data)


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
    world.witnesses.begin([], [], [])
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
        world.witnesses.begin([], [], [])
        assert world.told[0][1]["seen_by"] == "processes"
        keys.append(world.keys)
    assert keys[0] == keys[1]


def test_a_session_in_the_record_is_not_told_again() -> None:
    world = World()
    world.logind, world.view = [session("logind")], View(sessions=(SHELL,))
    world.witnesses.begin([recorded(session())], [], [])
    assert EventType.SESSION_OPENED not in [kind for kind, _ in world.told]


def in_the_record(*channels: Event) -> World:
    """Return a world whose agent began anew while alice's shell was open; the journal's cursor knows of its login."""
    world = World()
    world.logind, world.view = [session("logind")], View(sessions=(SHELL,))
    world.witnesses.begin([recorded(session())], channels, [])
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
    world.witnesses.begin([recorded(session())], [], [])
    world.sessions.witnessed(ADMITTED)
    world.sessions.closed(session())
    assert world.later(WITNESS_GRACE_SECONDS + 1) == []
    known = world.sessions.known(name_of(session()))
    assert known is not None
    assert (known.data, known.closed) == (session(), True)


def test_a_pid_of_the_record_that_is_used_again_is_another_session() -> None:
    world = World()
    world.witnesses.begin([recorded(session())], [], [])
    world.sessions.witnessed(msgspec.structs.replace(ADMITTED, port=50001))
    told = world.later(WITNESS_GRACE_SECONDS + 1)
    assert [data["missing"] for kind, data in told if kind == EventType.WITNESSES_DISAGREE] == [["pam"]]


@pytest.mark.parametrize("late_first", [True, False])
def test_one_that_the_gate_refused_too_late_is_a_session(late_first: bool) -> None:
    world = World()
    world.sessions.opened(session())
    world.sessions.witnessed(ADMITTED)
    steps = [world.sessions.refused, world.sessions.late]
    for step in reversed(steps) if late_first else steps:
        step(session())
    world.logind, world.view = [session("logind")], View(sessions=(FORWARD,))
    assert world.in_minutes() == [FORWARDED]


def test_a_refusal_that_names_no_session_leaves_it_to_the_missing_channel_to_lift_its_suspicion() -> None:
    world, data = World(), {**session(), "audit_session": None}
    world.sessions.opened(data)
    world.sessions.witnessed(ADMITTED)
    world.sessions.refused(data)
    assert world.in_minutes() == [FORWARDED]


def test_a_login_that_waits_while_the_agent_begins_is_told_to_have_no_channel() -> None:
    world = World()
    world.logind = [session("logind")]
    world.witnesses.begin([], [], [])
    world.sessions.opened(session())
    world.sessions.witnessed(ADMITTED)
    world.view = View(sessions=(FORWARD,))
    assert world.in_minutes() == [FORWARDED]


def test_a_channel_is_awaited_of_a_suspect_session_that_has_ended_and_was_told_twice() -> None:
    world = World()
    found, by_hook = recorded(session("logind"), identity="found"), recorded(session(), identity="pam")
    world.witnesses.begin([found, by_hook], [], [found])
    world.sessions.witnessed(ADMITTED)
    assert world.in_minutes() == [FORWARDED]


def test_a_session_that_was_found_and_told_by_the_hook_is_as_the_hook_told() -> None:
    world = World()
    world.logind, world.view = [session("logind")], View(sessions=(SHELL,))
    found = {**session("logind"), "connection": None}
    openings = [recorded(found, identity="found"), recorded(session())]
    assert world.witnesses.begin(openings, [channel()], []) == [session()]


def test_a_suspect_session_that_has_ended_is_not_among_those_that_are_open() -> None:
    world, over = World(), {**session(), "audit_session": 4, "leader_pid": 90}
    world.logind, world.view = [session("logind")], View(sessions=(SHELL,))
    openings = [recorded(over, identity="over"), recorded(session())]
    assert world.witnesses.begin(openings, [], openings) == [session()]


def test_without_an_audit_id_a_pid_that_is_used_again_is_told_as_what_it_is() -> None:
    world = World()
    world.witnesses.begin([recorded({**session(), "audit_session": None})], [], [])
    world.view = View(sessions=(msgspec.structs.replace(SHELL, audit_session=None, user="mallory"),))
    assert (EventType.WITNESSES_DISAGREE, ["pam"]) in world.in_minutes()


@pytest.mark.parametrize("open_still", [True, False])
def test_a_session_that_was_let_in_without_the_agent_is_known_by_its_channels(open_still: bool) -> None:
    world = World()
    if open_still:
        world.logind, world.view = [session("logind")], View(sessions=(SHELL,))
    world.witnesses.begin([], [channel()], [])
    assert world.told == []
    world.sessions.witnessed(ADMITTED)
    assert world.in_minutes() == []


def test_a_session_in_the_record_that_was_not_to_be_seen_at_the_start_goes_on() -> None:
    world = World()
    world.witnesses.begin([recorded(session())], [], [])
    world.sessions.witnessed(ADMITTED)
    world.view = View(sessions=(FORWARD,))
    assert world.in_minutes() == [FORWARDED]


def test_a_witness_that_only_a_later_version_knows_stops_nobody() -> None:
    world = World()
    world.witnesses.begin([recorded(session("a later witness"))], [], [])
    assert world.told == []


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
