"""Reads the processes of audit sessions from /proc: proc(5). A process that ends while it is read is not there."""

import os
import re
import stat
from collections.abc import Collection

from hostseal.core.interactive import Stdin
from hostseal.core.processes import Process
from hostseal.core.text import faithful

ARGV_BYTES = 16_384
ARGUMENTS = 256
LINE = 64
_UNSET = 0xFFFF_FFFF
_TERMINALS = frozenset({4, 5, *range(136, 144)})
"""Major numbers of /dev/ttyN, /dev/tty and /dev/pts/N (the kernel's devices.txt)."""


def processes(sessions: Collection[int]) -> dict[int, Process]:
    """Return the living processes whose kernel audit session is one of these, by pid."""
    wanted = {b"%d" % session for session in sessions}
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and _read(f"/proc/{name}/sessionid", 32).strip() in wanted:
            process = process_of(int(name))
            if process is not None:
                found[process.pid] = process
    return found


def line_of(pid: int) -> dict[int, Process]:
    """Return a process and those above it in the same audit session; empty when it has ended."""
    line: dict[int, Process] = {}
    process = process_of(pid)
    while process is not None and len(line) < LINE:
        if line and process.audit_session != next(iter(line.values())).audit_session:
            break
        line[process.pid] = process
        process = None if process.parent in line else process_of(process.parent)
    return line


def process_of(pid: int) -> Process | None:
    """Return what /proc says of a process now, None when it has ended (or is a zombie, which has no program)."""
    start = _start(pid)
    status = _read(f"/proc/{pid}/status", 4096)
    uids = re.search(rb"^Uid:\s+(\d+)\s+(\d+)", status, re.MULTILINE)
    parent = re.search(rb"^PPid:\s+(\d+)", status, re.MULTILINE)
    if start is None or uids is None or parent is None:
        return None
    stdin, channel = _stdin(pid)
    read = Process(
        pid=pid,
        start=start,
        parent=int(parent[1]),
        uid=int(uids[1]),
        effective_uid=int(uids[2]),
        audit_session=_number(f"/proc/{pid}/sessionid"),
        login_uid=_number(f"/proc/{pid}/loginuid"),
        exe=_link(f"/proc/{pid}/exe"),
        argv=_argv(pid),
        stdin=stdin,
        channel=channel,
    )
    return read if _start(pid) == start else None


def _start(pid: int) -> int | None:
    """Return the start time, which with the pid names a process (proc_pid_stat(5), field 22)."""
    fields = _read(f"/proc/{pid}/stat", 4096).rpartition(b")")[2].split()
    return int(fields[19]) if len(fields) > 19 and fields[0] not in {b"Z", b"X"} else None  # noqa: PLR2004


def _argv(pid: int) -> tuple[str, ...]:
    raw = _read(f"/proc/{pid}/cmdline", ARGV_BYTES)
    return tuple(faithful(word) for word in raw.removesuffix(b"\0").split(b"\0")[:ARGUMENTS]) if raw else ()


def _stdin(pid: int) -> tuple[Stdin, str | None]:
    """Return what standard input is, and a name for the very object: two ends of one pipe have the same."""
    try:
        found = os.stat(f"/proc/{pid}/fd/0")
    except OSError:
        return Stdin.OTHER, None
    kind = Stdin.OTHER
    if stat.S_ISFIFO(found.st_mode):
        kind = Stdin.PIPE
    elif stat.S_ISSOCK(found.st_mode):
        kind = Stdin.SOCKET
    elif stat.S_ISCHR(found.st_mode) and os.major(found.st_rdev) in _TERMINALS:
        kind = Stdin.TTY
    return kind, f"{found.st_dev}:{found.st_ino}"


def _number(path: str) -> int | None:
    text = _read(path, 32).strip()
    value = int(text) if text.isdigit() else _UNSET
    return None if value == _UNSET else value


def _link(path: str) -> str | None:
    try:
        return faithful(os.readlink(os.fsencode(path)))
    except OSError:
        return None


def _read(path: str, size: int) -> bytes:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(file, size)
    except OSError:
        return b""
    finally:
        os.close(file)
