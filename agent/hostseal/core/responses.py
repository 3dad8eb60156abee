"""Which playbook answers which action, in which unit, and what it is told. Pure."""

from typing import Any

import msgspec

from hostseal.core.decision import Action
from hostseal.core.event import Event, EventType

RELEASE = "release"
_LOCKDOWNS = {Action.LOCKDOWN_AUTOMATION_ONLY, Action.LOCKDOWN_CLOSED}


class Play(msgspec.Struct, frozen=True, kw_only=True):
    """A playbook, the one extra variable it gets (a UUID, law 9), and the unit template it runs in."""

    file: str
    variable: str
    template: str = "hostseal-action"


PLAYS: dict[str, Play] = {
    "flag": Play(file="flag.yml", variable="hostseal_incident"),
    "pardon": Play(file="pardon.yml", variable="hostseal_incident"),
    "terminate_session": Play(
        file="terminate_session.yml", variable="hostseal_action", template="hostseal-terminate"
    ),
    "lockdown_automation_only": Play(file="lockdown.yml", variable="hostseal_action"),
    "lockdown_closed": Play(file="lockdown.yml", variable="hostseal_action"),
    RELEASE: Play(file="release.yml", variable="hostseal_action"),
}


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The session that a `terminate_session` is about; audit session ids begin anew with each boot."""

    audit_session: int
    boot_id: str
    user: str


def is_lockdown(action: str) -> bool:
    """Return whether an action puts a lockdown level in force."""
    return action in _LOCKDOWNS


def sets_level(action: str) -> bool:
    """Return whether an action puts a lockdown level in force, `open` among them."""
    return action == RELEASE or is_lockdown(action)


def target(session: dict[str, Any] | None, boot_id: str) -> Target | None:
    """Return what names a session for good, None when its audit session id is not known."""
    audit = (session or {}).get("audit_session")
    if session is None or not isinstance(audit, int) or isinstance(audit, bool):
        return None
    return Target(audit_session=audit, boot_id=boot_id, user=str(session.get("user", "")))


def session_of(event: Event) -> dict[str, Any] | None:
    """Return the SSH session that an event is about or was caused by, None when it has none."""
    if event.type in {EventType.SESSION_OPENED, EventType.SESSION_CLOSED}:
        return event.data
    holder = event.data["writer"] if event.type is EventType.FILES_CHANGED else event.data
    session: dict[str, Any] | None = holder.get("session")
    return session
