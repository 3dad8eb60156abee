"""What is said of a login that the gate refused, or admitted without the policy's word. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from hostseal.core.event import EventType

UNASKED = "Refused: Hostseal's policy cannot be asked on this host now."
ALLOW_AND_FLAG = "allow_and_flag"


class PrincipalClass(StrEnum):
    """Who logs in, as far as it can be told without the policy."""

    PERSON = "person"
    AUTOMATION = "automation"
    BREAK_GLASS = "break_glass"


def certificate_of(kind: EventType, data: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the certificate of a login: the proven one of a session, else the one that was offered."""
    if kind is EventType.SESSION_OPENED:
        return (data.get("key") or {}).get("certificate")
    return data.get("offered")


def about(login: str, kind: EventType, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `login.refused` and `login.unasked` say of a login; `login` names its own event or record."""
    return {
        "login": login,
        "phase": "session" if kind is EventType.SESSION_OPENED else "account",
        "user": data["user"],
        "source": data.get("source"),
        "key": data.get("key"),
        "certificate": certificate_of(kind, data),
        "audit_session": data.get("audit_session"),
    }


def unasked(said: Mapping[str, Any], who: str, choice: str, cause: str) -> dict[str, Any]:
    """Return the data of `login.unasked`: :func:`about` a login, its class, and whether the host is to be flagged."""
    return {**said, "class": str(who), "flag": choice == ALLOW_AND_FLAG, "cause": cause}
