"""What the processes of one SSH session are doing. Pure: a table of processes in, what it means out."""

from collections.abc import Iterator, Mapping

import msgspec

from hostseal.core.attribution import Confidence
from hostseal.core.interactive import Stdin, interactive, name_of
from hostseal.core.sshd_lines import SSHD_PROGRAMS

INTERMEDIARIES = frozenset({"sudo", "su", "doas", "pkexec", "runuser", "sg", "newgrp", "sudo-rs", "su-rs"})
"""Programs that change the user and then wait: what they run has changed it, they themselves have not yet."""

_CLIMB = 64


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """What /proc said of a process at one moment; `start` is its start time in the kernel's ticks since boot.

    `exe` is None when it could not be read; `channel` names the very object that its standard input is.
    """

    pid: int
    start: int
    parent: int
    uid: int
    effective_uid: int
    audit_session: int | None
    login_uid: int | None
    exe: str | None = None
    argv: tuple[str, ...] = ()
    stdin: Stdin = Stdin.OTHER
    channel: str | None = None

    @property
    def name(self) -> tuple[int, int]:
        """What tells it apart from a later process of the same pid."""
        return self.pid, self.start

    @property
    def is_sshd(self) -> bool:
        """Whether it runs the system's sshd, whoever started it."""
        return self.exe in SSHD_PROGRAMS


Table = Mapping[int, Process]


class Interactive(msgspec.Struct, frozen=True, kw_only=True):
    """A program that takes commands from its standard input, in a channel without a terminal.

    `root` is the channel's first process, None when it has ended. `login_shell`: the program is the channel's first
    process and was started as a login shell, as sshd starts one for a client that asked for a shell without a terminal.
    """

    program: Process
    root: Process | None
    login_shell: bool
    confidence: Confidence


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A process of another user than the one who logged in, and the program that changed it (a path, or None)."""

    pid: int
    target: int
    via: str | None
    confidence: Confidence


def interactive_programs(table: Table) -> Iterator[Interactive]:
    """Yield what takes commands in a channel without a terminal; a channel that has one is an open shell anyhow."""
    for process in table.values():
        if process.exe is None or not interactive(process.exe, process.argv, process.stdin):
            continue
        root = channel_of(table, process)
        if root is not None and root.stdin is Stdin.TTY:
            continue
        fed_by_client = root is not None and process.channel == root.channel
        exact = fed_by_client or process.stdin is Stdin.TTY
        yield Interactive(
            program=process,
            root=root,
            login_shell=process is root and process.argv[:1] != () and process.argv[0].startswith("-"),
            confidence=Confidence.EXACT if exact else Confidence.INFERRED,
        )


def channel_of(table: Table, process: Process) -> Process | None:
    """Return the process that sshd started for the channel, None when the way up to it is lost."""
    for _ in range(_CLIMB):
        parent = table.get(process.parent)
        if parent is None or process.is_sshd:
            return None
        if parent.is_sshd:
            return process
        process = parent
    return None


def changes_of_user(table: Table) -> Iterator[Change]:
    """Yield each process that acts for another user than the kernel's login uid, sshd's own apart.

    A set-user-id program that only borrows the other user (passwd, ping) is none, unless it takes commands.
    """
    for process in table.values():
        if process.login_uid is None or process.is_sshd or _name(process) in INTERMEDIARIES:
            continue
        borrowed = process.effective_uid != process.login_uid and _is_interpreter(process)
        if process.uid == process.login_uid and not borrowed:
            continue
        via = process if process.uid == process.login_uid else _intermediary(table, process)
        yield Change(
            pid=process.pid,
            target=process.effective_uid if borrowed else process.uid,
            via=None if via is None else via.exe,
            confidence=Confidence.INFERRED if via is None else Confidence.EXACT,
        )


def _intermediary(table: Table, process: Process) -> Process | None:
    for _ in range(_CLIMB):
        parent = table.get(process.parent)
        if parent is None:
            return None
        if _name(parent) in INTERMEDIARIES:
            return parent
        process = parent
    return None


def _is_interpreter(process: Process) -> bool:
    return process.exe is not None and name_of(process.exe, process.argv) is not None


def _name(process: Process) -> str:
    return (process.exe or "").rpartition("/")[2]
