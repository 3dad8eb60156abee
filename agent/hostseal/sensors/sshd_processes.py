"""Sessions as the kernel shows them: sshd's own processes, and programs that pass for sshd. Reads /proc."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from hostseal.core.channel import Kind
from hostseal.core.sshd_lines import SSHD_NAMES, SSHD_PROGRAMS
from hostseal.core.text import faithful

_PROC = Path("/proc")
_UNSET = 4294967295
_SFTP_SERVERS = frozenset({"/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server"})
# What sshd calls itself once somebody is let in: `USER`, `USER@pts/0,pts/1`, `USER@notty`. Before that, and where it serves
# nobody, a word in brackets stands at the end: `[accepted]`, `USER [net]`, `USER [priv]`, `... [listener] 0 of 10-100 startups`.
_TITLE = re.compile(r"\A(?:sshd|sshd-session): (?P<user>[^\[\]]+?)(?:@(?P<ttys>[^@\[\]]+))?\Z", re.DOTALL)


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """One process of a program that is, or is called, sshd."""

    pid: int
    parent: int
    uid: int
    exe: str
    title: str


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """One session that root's sshd serves. `started`: the leader's start, in clock ticks since boot.

    `kind` is what its channels amount to by sshd's own title and its children; `pty` is its first terminal.
    """

    leader: int
    child: int
    started: int
    user: str
    kind: Kind
    pty: str | None = None
    audit_session: int | None = None
    login_uid: int | None = None


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What there is: sessions of root's sshd, and the uids and pids of sshds that are not root's."""

    sessions: tuple[Serving, ...] = ()
    foreign: tuple[tuple[int, int], ...] = ()

    def of(self, leader: int | None) -> Serving | None:
        """Return the session with this root-owned process, None when it has ended."""
        return next((serving for serving in self.sessions if serving.leader == leader), None)


def look() -> View:
    """Return what /proc shows now; a process that ends meanwhile is left out."""
    found = {process.pid: process for process in _processes()}
    sessions = [serving for process in found.values() if (serving := _serving(process, found)) is not None]
    foreign = [
        (process.uid, process.pid)
        for process in found.values()
        if process.exe in SSHD_PROGRAMS and process.uid != 0 and not _under_root(process, found)
    ]
    return View(sessions=tuple(sessions), foreign=tuple(foreign))


def served(title: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the user that an sshd of this title serves and the terminals of his channels; None when it serves nobody.

    A channel without a terminal is `notty`; there are none at all before the first channel.
    """
    found = _TITLE.match(title)
    if found is None:
        return None
    return found["user"], tuple(found["ttys"].split(",")) if found["ttys"] else ()


def _processes() -> Iterator[Process]:
    for entry in os.scandir(_PROC):
        if not entry.name.isdigit():
            continue
        pid = int(entry.name)
        try:
            exe = os.fsdecode(os.readlink(_PROC / entry.name / "exe"))
            called = (_PROC / entry.name / "comm").read_text("utf-8", "replace").strip()
            if exe not in SSHD_PROGRAMS and called not in SSHD_NAMES:
                continue
            status = _status(pid)
            title = faithful((_PROC / entry.name / "cmdline").read_bytes().split(b"\0")[0].rstrip())
        except OSError:
            continue
        uid = int(status["Uid"].split()[1])
        yield Process(pid=pid, parent=int(status["PPid"]), uid=uid, exe=exe, title=title)


def _status(pid: int) -> dict[str, str]:
    text = (_PROC / str(pid) / "status").read_text("utf-8", "replace")
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}


def _serving(process: Process, found: dict[int, Process]) -> Serving | None:
    """Return the session this process serves: as the child of root's own for its user, or itself for root."""
    title = served(process.title)
    if title is None or process.exe not in SSHD_PROGRAMS:
        return None
    user, terminals = title
    parent = found.get(process.parent)
    named = parent is not None and parent.uid == 0 and parent.title.endswith(" [priv]")
    leader = process.parent if named else process.pid
    if not named and (process.uid != 0 or parent is None):
        return None
    try:
        audit, login = _number(process.pid, "sessionid"), _number(process.pid, "loginuid")
        started = int(
            (_PROC / str(leader) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19]
        )
        kind, pty = _kind(process, terminals)
    except OSError:
        return None
    return Serving(
        leader=leader,
        child=process.pid,
        started=started,
        user=user,
        kind=kind,
        pty=pty,
        audit_session=audit,
        login_uid=login,
    )


def _kind(process: Process, terminals: tuple[str, ...]) -> tuple[Kind, str | None]:
    if not terminals:
        return Kind.FORWARD, None
    terminal = next((tty for tty in terminals if tty != "notty"), None)
    if terminal is not None:
        return Kind.SHELL, terminal
    kinds = [Kind.COMMAND, *(_kind_of_child(pid) for pid in _children(process.pid))]
    return max(kinds, key=list(Kind).index), None


def _children(pid: int) -> list[int]:
    text = (_PROC / str(pid) / "task" / str(pid) / "children").read_text("ascii")
    return [int(word) for word in text.split()]


def _kind_of_child(pid: int) -> Kind:
    try:
        if (_PROC / str(pid) / "cmdline").read_bytes().startswith(b"-"):
            return Kind.SHELL_NO_PTY  # sshd calls a login shell so
        return Kind.SFTP if os.readlink(_PROC / str(pid) / "exe") in _SFTP_SERVERS else Kind.COMMAND
    except OSError:
        return Kind.COMMAND


def _under_root(process: Process, found: dict[int, Process]) -> bool:
    """Tell whether a chain of sshds leads from this process up to root's."""
    seen = set()
    while process.pid not in seen:
        seen.add(process.pid)
        if process.uid == 0:
            return process.exe in SSHD_PROGRAMS
        above = found.get(process.parent)
        if above is None:
            return False
        process = above
    return False


def _number(pid: int, name: str) -> int | None:
    value = int((_PROC / str(pid) / name).read_text("ascii"))
    return None if value == _UNSET else value
