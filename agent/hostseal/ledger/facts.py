"""What can be searched for, dug out of JSON that others wrote: tolerant of every shape."""

import re
from datetime import datetime
from typing import Any

import msgspec

from hostseal.core.event import timestamp

TERM_LENGTH = 256
_RULE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d+))?Z")


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """An event's searchable side: its id, its type, the host it names, and the person's name and key."""

    id: str = ""
    type: str = ""
    host: str | None = None
    user: str = ""
    key: str = ""


def of_event(event: Any) -> Facts:
    """Return the facts of what should be an event; what is missing or of another type is left out."""
    data = at(event, "data")
    people = (data, at(data, "session"), at(data, "writer", "session"))
    return Facts(
        id=_text(event, "id"),
        type=_text(event, "type"),
        host=named(event),
        user=next((name for one in people if (name := _text(one, "user"))), ""),
        key=next((name for one in people if (name := _text(one, "key", "fingerprint"))), ""),
    )


def named(value: Any) -> str | None:
    """Return the name of the host that an event, or an input of a policy, says it is about; None when it says none."""
    name = at(value, "host", "name")
    return name if isinstance(name, str) else None


def rules(decision: Any) -> str:
    """Return the rules that spoke in a decision, separated and surrounded by spaces."""
    findings = at(decision, "findings")
    names = [_text(finding, "rule") for finding in findings] if isinstance(findings, list) else []
    found = dict.fromkeys(name for name in names if _RULE.fullmatch(name))
    return f" {' '.join(found)} "[: 4 * TERM_LENGTH] if found else ""


def moment(text: str) -> str:
    """Return an RFC 3339 time in UTC with microseconds and a `Z`, so that times sort as text; ValueError if it is none."""
    if found := _UTC.fullmatch(text):
        datetime.fromisoformat(text[:19])
        return f"{text[:19]}.{(found[1] or '')[:6]:0<6}Z"
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        raise ValueError("the time has no zone")
    return timestamp(when)


def at(value: Any, *path: str) -> Any:
    """Return what is at the end of a path of names, None where there is no such one."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(value: Any, *path: str) -> str:
    found = at(value, *path)
    return found[:TERM_LENGTH] if isinstance(found, str) else ""
