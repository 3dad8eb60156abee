"""Reads what sshd writes at LogLevel VERBOSE. Pure: fields of a journal entry in, a channel out.

A channel's line is believed only if its process was named by a root-owned sshd line "User child is on pid N"
of the same boot, or is logged by root's own sshd (a root login): a user may run an sshd of his own and log
what he likes (facts: Sessions).
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from hostseal.core.channel import Kind

SSHD_NAMES = frozenset({"sshd", "sshd-session"})
SSHD_PROGRAMS = frozenset({"/usr/sbin/sshd", "/usr/lib/openssh/sshd-session", "/usr/libexec/sshd-session"})
CHILDREN_KEPT = 4096

_CHILD = re.compile(r"\AUser child is on pid (\d{1,10})\Z")
_START = re.compile(
    r"\AStarting session: (?P<what>shell|command|forced-command \(.*\) '.*'|subsystem '(?P<subsystem>.*)')"
    r"(?: on (?P<pty>pts/\d+|\S+))? for (?P<user>.+) from (?P<source>\S+) port (?P<port>\d+) id (?P<id>\d+)\Z",
    re.DOTALL,
)


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """One channel of one connection."""

    kind: Kind
    user: str
    source: str
    port: int
    number: int
    pty: str | None = None
    subsystem: str | None = None
    audit_session: int | None = None


class Reader(msgspec.Struct, frozen=True):
    """Remembers which processes sshd's monitors have named as their children."""

    children: tuple[int, ...] = ()


def read(reader: Reader, entry: Mapping[str, Any]) -> tuple[Reader, Channel | None]:
    """Return the reader after `entry` (journal fields, decoded) and the channel it announces, if any."""
    if entry.get("_COMM") not in SSHD_NAMES or not isinstance(message := entry.get("MESSAGE"), str):
        return reader, None
    root = entry.get("_UID") == 0 and entry.get("_EXE") in SSHD_PROGRAMS
    if root and (child := _CHILD.match(message)):
        known = tuple(pid for pid in reader.children if pid != int(child[1]))
        return Reader((*known, int(child[1]))[-CHILDREN_KEPT:]), None
    if not (root or entry.get("_PID") in reader.children):
        return reader, None
    return reader, _channel(message, entry.get("_AUDIT_SESSION"))


def _channel(message: str, audit_session: Any) -> Channel | None:
    found = _START.match(message)
    if found is None:
        return None
    return Channel(
        kind=_kind(found),
        user=found["user"],
        source=found["source"],
        port=int(found["port"]),
        number=int(found["id"]),
        pty=found["pty"],
        subsystem=found["subsystem"],
        audit_session=audit_session if isinstance(audit_session, int) else None,
    )


def _kind(found: re.Match[str]) -> Kind:
    match found["what"].split(maxsplit=1)[0]:
        case "shell":
            return Kind.SHELL if found["pty"] else Kind.SHELL_NO_PTY
        case "subsystem":
            return Kind.SFTP if found["subsystem"] == "sftp" else Kind.SUBSYSTEM
        case _:
            return Kind.COMMAND_WITH_PTY if found["pty"] else Kind.COMMAND
