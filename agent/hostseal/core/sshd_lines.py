"""Reads what sshd writes at LogLevel VERBOSE. Pure: fields of a journal entry in, what it says of a session out.

A line of a session's own process is believed only if a root-owned sshd named that process, "User child is on pid N",
or it is root's own sshd (a root login): a user may run an sshd of his own and log what he likes (facts: Sessions).
A line that claims to be sshd's and is not believed is itself something seen.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from hostseal.core.channel import Kind

SSHD_NAMES = frozenset({"sshd", "sshd-session"})
SSHD_PROGRAMS = frozenset({"/usr/sbin/sshd", "/usr/lib/openssh/sshd-session", "/usr/libexec/sshd-session"})
MONITORS_KEPT = 4096
CONNECTIONS_KEPT = 1024

_CONNECTION = re.compile(r"\AConnection from \S+ port \d+ on ")
_ACCEPTED = re.compile(
    r"\AAccepted \S+ for (?P<user>.+) from (?P<source>\S+) port (?P<port>\d+) ssh2", re.DOTALL
)
_OPENED = re.compile(
    r"\Apam_unix\(sshd:session\): session opened for user (?P<user>.+?)(?:\(uid=\d+\))? by \S*\(uid=\d+\)\Z",
    re.DOTALL,
)
_CLOSED = "pam_unix(sshd:session): session closed for user "
_CHILD = re.compile(r"\AUser child is on pid (\d{1,10})\Z")
_START = re.compile(
    r"\AStarting session: (?P<what>shell|command|forced-command \(.*\) '.*'|subsystem '(?P<subsystem>.*)')"
    r"(?: on (?P<pty>pts/\d+|\S+))? for (?P<user>.+) from (?P<source>\S+) port (?P<port>\d+) id (?P<id>\d+)\Z",
    re.DOTALL,
)


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """One channel of one connection; `leader` is the pid of the connection's root-owned process."""

    kind: Kind
    user: str
    source: str
    port: int
    number: int
    leader: int
    pty: str | None = None
    subsystem: str | None = None
    audit_session: int | None = None


class Admitted(msgspec.Struct, frozen=True, kw_only=True):
    """A login that root's sshd let in. `detailed`: sshd writes at VERBOSE, so each channel of it will be named."""

    leader: int
    user: str
    source: str | None = None
    port: int | None = None
    detailed: bool = False


class Unbelieved(msgspec.Struct, frozen=True):
    """A line in sshd's name that is not root's sshd's, by a process of this uid."""

    uid: int


Seen = Channel | Admitted | Unbelieved


class Monitor(msgspec.Struct, frozen=True, kw_only=True):
    """The root-owned process of one connection, and the child it has named."""

    user: str = ""
    source: str | None = None
    port: int | None = None
    child: int | None = None


class Reader(msgspec.Struct, frozen=True):
    """Remembers the connections that root's sshd has let in, by their root-owned process.

    `connections` are the last processes that announced theirs at VERBOSE, let in or not.
    """

    monitors: dict[int, Monitor] = {}
    connections: tuple[int, ...] = ()

    def leader_of(self, pid: int | None) -> int | None:
        """Return the root-owned process that has named this child, None when none has."""
        return next((leader for leader, known in self.monitors.items() if known.child == pid), None)

    def knowing(self, leader: int, **facts: Any) -> "Reader":
        """Return the reader with more facts of one connection; the one that is longest known makes room."""
        known = dict(self.monitors)
        known[leader] = msgspec.structs.replace(known.pop(leader, Monitor()), **facts)
        if len(known) > MONITORS_KEPT:
            del known[next(iter(known))]
        return msgspec.structs.replace(self, monitors=known)

    def without(self, leader: int) -> "Reader":
        """Return the reader after a connection's end: its child's pid may come to be another's."""
        rest = {pid: known for pid, known in self.monitors.items() if pid != leader}
        return msgspec.structs.replace(self, monitors=rest)

    def announced(self, leader: int) -> "Reader":
        """Return the reader after a connection was announced."""
        return msgspec.structs.replace(
            self, connections=(*self.connections, leader)[-CONNECTIONS_KEPT:]
        ).without(leader)


class _Line(NamedTuple):
    text: str
    pid: int
    uid: int
    exe: str | None
    audit: int | None
    claims: bool


def read(reader: Reader, entry: Mapping[str, Any]) -> tuple[Reader, Seen | None]:
    """Return the reader after `entry` (journal fields, decoded) and what it says, if anything."""
    line = _line(entry)
    if line is None:
        return reader, None
    if line.uid == 0 and line.exe in SSHD_PROGRAMS:
        return _roots(reader, line)
    if (leader := reader.leader_of(line.pid)) is not None:
        return reader, _channel(line, leader)
    # journald may find a short-lived process gone before it knows the program: root's is not called forged for that.
    forged = line.claims and (line.uid != 0 or line.exe is not None)
    return reader, Unbelieved(line.uid) if forged else None


def _line(entry: Mapping[str, Any]) -> _Line | None:
    text, pid, uid, exe = (entry.get(name) for name in ("MESSAGE", "_PID", "_UID", "_EXE"))
    claims = entry.get("SYSLOG_IDENTIFIER") in SSHD_NAMES
    if not (isinstance(text, str) and isinstance(pid, int) and isinstance(uid, int)):
        return None
    if not (claims or entry.get("_COMM") in SSHD_NAMES):
        return None
    audit = entry.get("_AUDIT_SESSION")
    return _Line(
        text,
        pid,
        uid,
        exe if isinstance(exe, str) else None,
        audit if isinstance(audit, int) else None,
        claims,
    )


def _roots(reader: Reader, line: _Line) -> tuple[Reader, Seen | None]:
    if _CONNECTION.match(line.text):
        return reader.announced(line.pid), None
    if found := _ACCEPTED.match(line.text):
        reader = reader.knowing(line.pid, user=found["user"], source=found["source"], port=int(found["port"]))
        return reader, admitted(reader, line.pid)
    if found := _OPENED.match(line.text):
        reader = reader.knowing(line.pid, user=found["user"])
        return reader, admitted(reader, line.pid)
    if found := _CHILD.match(line.text):
        reader = reader.knowing(line.pid, child=int(found[1]))
        return reader, admitted(reader, line.pid)
    if line.text.startswith(_CLOSED):
        return reader.without(line.pid), None
    # A root login has a child from OpenSSH 9.8 on, and none before.
    leader = reader.leader_of(line.pid)
    return reader, _channel(line, line.pid if leader is None else leader)


def admitted(reader: Reader, leader: int) -> Admitted:
    """Return what is known of a connection whose root-owned process the reader remembers."""
    known = reader.monitors[leader]
    detailed = known.child is not None or leader in reader.connections
    return Admitted(leader=leader, user=known.user, source=known.source, port=known.port, detailed=detailed)


def _channel(line: _Line, leader: int) -> Channel | None:
    found = _START.match(line.text)
    if found is None:
        return None
    return Channel(
        kind=_kind(found),
        user=found["user"],
        source=found["source"],
        port=int(found["port"]),
        number=int(found["id"]),
        leader=leader,
        pty=found["pty"],
        subsystem=found["subsystem"],
        audit_session=line.audit,
    )


def _kind(found: re.Match[str]) -> Kind:
    match found["what"].split(maxsplit=1)[0]:
        case "shell":
            return Kind.SHELL if found["pty"] else Kind.SHELL_NO_PTY
        case "subsystem":
            return Kind.SFTP if found["subsystem"] == "sftp" else Kind.SUBSYSTEM
        case _:
            return Kind.COMMAND_WITH_PTY if found["pty"] else Kind.COMMAND
