"""What the agent observed, as it goes over the wire (architecture: Events)."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec


class EventType(StrEnum):
    """The kinds of observation."""

    LOGIN_REQUESTED = "login.requested"
    SESSION_OPENED = "session.opened"
    SESSION_CLOSED = "session.closed"
    SESSION_CHANNEL = "session.channel"
    SESSION_PRIVILEGE = "session.privilege"
    SESSION_COMMANDS = "session.commands"
    SESSION_LEFT_BEHIND = "session.left_behind"
    WITNESSES_DISAGREE = "witnesses.disagree"
    LOGIN_REFUSED = "login.refused"
    LOGIN_UNASKED = "login.unasked"
    CERTIFICATE_REFUSED = "certificate.refused"
    GATE_CHANGED = "gate.changed"
    LOCKDOWN_RELEASED = "lockdown.released"
    FILES_CHANGED = "files.changed"
    SEAL_BROKEN = "seal.broken"
    SEAL_UNTRUSTED = "seal.untrusted"
    SENSOR_LOST = "sensor.lost"
    AGENT_STARTED = "agent.started"
    AGENT_HEARTBEAT = "agent.heartbeat"
    AGENT_STOPPED = "agent.stopped"
    FLAG_PARDONED = "flag.pardoned"
    OPERATOR_FLAGGED = "operator.flagged"
    OPERATOR_ASKED = "operator.asked"

    @property
    def is_bulk(self) -> bool:
        """Whether the spool may make the sensor wait; a session event never waits for room."""
        return self is EventType.FILES_CHANGED


_WITHIN_SESSION = frozenset(
    {
        EventType.SESSION_CHANNEL,
        EventType.SESSION_PRIVILEGE,
        EventType.SESSION_COMMANDS,
        EventType.SESSION_LEFT_BEHIND,
    }
)


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What signed bundle data says of a host; `automation` names the accounts that are no person's."""

    mode: str = "observe"
    host_class: str = msgspec.field(default="immutable", name="class")
    groups: tuple[str, ...] = ()
    automation: tuple[str, ...] = ()


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """The host an event was observed on, with what was known of it then."""

    name: str
    machine_id: str
    boot_id: str
    image: str | None = None
    host_class: str = msgspec.field(default="immutable", name="class")
    mode: str = "observe"
    groups: tuple[str, ...] = ()


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One observation. `seq` rises by one per host and is never reused: a gap is visible."""

    id: str
    type: EventType
    time: str
    seq: int
    host: Host
    data: dict[str, Any]

    @property
    def audit_session(self) -> int | None:
        """The kernel's audit session the event belongs to, where it is known."""
        data = self.data.get("session") if self.type in _WITHIN_SESSION else self.data
        return (data or {}).get("audit_session")


def question(event: Event) -> dict[str, Any]:
    """Return the event as the policy is asked about it: without the texts of files.

    No rule reads them, and what the policy is asked stands in its decision log, on other machines.
    """
    asked: dict[str, Any] = msgspec.to_builtins(event)
    for path in asked["data"].get("paths", ()) if event.type is EventType.FILES_CHANGED else ():
        path.pop("diff", None)
    return asked


def timestamp(moment: datetime) -> str:
    """Return `moment` (aware) as RFC 3339 in UTC with microseconds and a `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_timestamp(text: str) -> datetime:
    """Return the aware moment that :func:`timestamp` wrote; ValueError when it is not one."""
    return datetime.fromisoformat(text)


def in_words(text: str) -> str:
    """Return a moment that :func:`timestamp` wrote for people, to the second: `2026-11-24 15:15:28 UTC`."""
    return from_timestamp(text).strftime("%Y-%m-%d %H:%M:%S UTC")
