"""What the processes of one SSH session are doing. Pure: a table of processes in, what it means out."""

from collections.abc import Iterator, Mapping

import msgspec

from hostseal.core.attribution import Confidence
from hostseal.core.channel import Kind
from hostseal.core.interactive import Stdin, interactive, may_interpret, name_of
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


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel without a terminal turned out to be used for, by one of its programs.

    `root` is the channel's first process, None when it has ended. `login_shell`: the program is the channel's first
    process and was started as a login shell, as sshd starts one for a client that asked for a shell without a terminal.
    """

    kind: Kind
    program: Process
    root: Process | None
    login_shell: bool
    confidence: Confidence

    @property
    def named(self) -> tuple[Process, ...]:
        """The processes by which this use is known again: the channel's first one, and the program that outlives it."""
        return (self.program,) if self.root is None else (self.root, self.program)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A process of another user than the one who logged in, and the program that changed it (a path, or None)."""

    pid: int
    target: int
    via: str | None
    confidence: Confidence


def uses(table: Table) -> Iterator[Use]:
    """Yield what takes commands in a channel without a terminal, and each channel that is an old scp's.

    A channel with a terminal is an open shell anyhow: what is piped into a program there is no news.
    """
    for process in table.values():
        kind = _kind(process)
        if kind is None:
            continue
        root = channel_of(table, process)
        if is_sshds_own(table, root):
            continue
        if (root is not None and root.stdin is Stdin.TTY) or (kind is Kind.SCP and root is not process):
            continue
        fed_by_client = root is not None and process.channel == root.channel
        exact = fed_by_client or process.stdin is Stdin.TTY
        yield Use(
            kind=kind,
            program=process,
            root=root,
            login_shell=process is root and bool(process.argv) and process.argv[0].startswith("-"),
            confidence=Confidence.EXACT if exact else Confidence.INFERRED,
        )


def may_tell(exe: str | None) -> bool:
    """Return whether a program that has just been executed may make :func:`uses` speak."""
    return exe is not None and (may_interpret(exe) or exe.endswith("/scp"))


def _kind(process: Process) -> Kind | None:
    if process.exe is None:
        return None
    if interactive(process.exe, process.argv, process.stdin):
        return Kind.INTERACTIVE_COMMAND
    if _name(process) == "scp" and {"-t", "-f"} & set(process.argv[1:]):
        return Kind.SCP
    return None


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


def is_sshds_own(table: Table, root: Process | None) -> bool:
    """Tell whether sshd's monitor itself runs this, as PAM's programs are run: a user's channels are its child's."""
    if root is None or root.login_uid == 0:
        return False
    parent = table.get(root.parent)
    return parent is not None and parent.is_sshd and parent.uid == 0


def changes_of_user(table: Table) -> Iterator[Change]:
    """Yield each process that acts for another user than the kernel's login uid, sshd's own apart.

    A set-user-id program that only borrows the other user (passwd, ping) is none, unless it takes commands.
    """
    for process in table.values():
        if process.login_uid is None or process.is_sshd or _name(process) in INTERMEDIARIES:
            continue
        borrowed = process.effective_uid != process.login_uid and _is_interpreter(process)
        if (process.uid == process.login_uid and not borrowed) or is_sshds_own(
            table, channel_of(table, process)
        ):
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
