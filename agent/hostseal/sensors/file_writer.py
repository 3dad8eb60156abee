"""Reads who a process is from /proc while it lives, and remembers it for when it no longer does."""

import os
import time
from collections import OrderedDict
from collections.abc import Callable

from msgspec.structs import replace

from hostseal.core.attribution import ProcessFacts, Proof
from hostseal.core.text import faithful

_UNSET = 0xFFFF_FFFF
_INIT_SCOPE = "/init.scope"
JOIN_SECONDS = 60.0
"""How long a record stands for its pid: pids are used again."""

Read = Callable[[int], ProcessFacts | None]
Executed = Callable[[ProcessFacts], None]
"""Is told of each program that a process begins to execute; must not wait."""


class Writers:
    """Facts by pid. One batch is what one read(2) returned: all its changes were made before it was looked at.

    So within a batch, one look at /proc is as good as one per change; no process can be gone and its pid
    taken over while the pidfd that came with the change is alive.
    """

    def __init__(
        self,
        read: Read | None = None,
        *,
        capacity: int = 4096,
        clock: Callable[[], float] = time.monotonic,
        executed: Executed | None = None,
    ) -> None:
        self._read = read or Proc().facts
        self._executed = executed
        self._capacity = capacity
        self._clock = clock
        self._known: OrderedDict[int, tuple[float, ProcessFacts]] = OrderedDict()
        self._batch: dict[int, ProcessFacts | None] = {}

    def next_batch(self) -> None:
        """Forget what was read for the last batch."""
        self._batch.clear()

    def executed(self, pid: int, pidfd: int, exe: str) -> None:
        """Note that `pid` has begun to execute `exe`."""
        facts = self._proven(pid, pidfd, None) if pidfd >= 0 else None
        before = facts or self._recalled(pid) or ProcessFacts(pid=pid, proof=Proof.JOINED)
        after = replace(before, exe=exe)
        self._remember(after)
        self._batch.pop(pid, None)
        if self._executed is not None:
            self._executed(after)

    def facts(self, pid: int, pidfd: int) -> ProcessFacts | None:
        """Return what is known of the process that made a change, None if nothing is."""
        if pidfd >= 0:
            if pid not in self._batch:
                self._batch[pid] = self._proven(pid, pidfd, self._recalled(pid))
            if (proven := self._batch[pid]) is not None:
                return proven
        return self._recalled(pid)

    def _recalled(self, pid: int) -> ProcessFacts | None:
        at, facts = self._known.get(pid, (0.0, None))
        if facts is None or self._clock() - at > JOIN_SECONDS:
            return None
        return replace(facts, proof=Proof.JOINED)

    def _proven(self, pid: int, pidfd: int, known: ProcessFacts | None) -> ProcessFacts | None:
        facts = self._read(pid)
        if facts is None or not _unreaped(pidfd):
            return None
        if facts.exe is None and known is not None and known.exe is not None:
            facts = replace(facts, exe=known.exe, proof=Proof.JOINED)
        self._remember(facts)
        return facts

    def _remember(self, facts: ProcessFacts) -> None:
        self._known[facts.pid] = (self._clock(), facts)
        self._known.move_to_end(facts.pid)
        while len(self._known) > self._capacity:
            self._known.popitem(last=False)


class Proc:
    """The /proc of this machine."""

    def __init__(self) -> None:
        own = _cgroup(_text("/proc/1/cgroup") or "") or ""
        self._above = own.removesuffix(_INIT_SCOPE) if own.endswith(_INIT_SCOPE) else ""

    def facts(self, pid: int) -> ProcessFacts | None:
        """Return what /proc says of a process now, None when it is gone. What may not be read is None."""
        status = _text(f"/proc/{pid}/status")
        if status is None:
            return None
        cgroup = _cgroup(_text(f"/proc/{pid}/cgroup") or "")
        if cgroup is not None and self._above:
            cgroup = cgroup[len(self._above) :] if cgroup.startswith(self._above + "/") else None
        return ProcessFacts(
            pid=pid,
            proof=Proof.ALIVE,
            exe=_link(f"/proc/{pid}/exe"),
            uid=_effective_uid(status),
            audit_session=_audit_id(_text(f"/proc/{pid}/sessionid")),
            login_uid=_audit_id(_text(f"/proc/{pid}/loginuid")),
            cgroup=cgroup,
        )


def _unreaped(pidfd: int) -> bool:
    """Tell whether the process still has its pid, running or as a zombie: what /proc said was said of it.

    fdinfo says `Pid: -1` once it is reaped; no permission is needed, as there would be for a signal.
    """
    info = _text(f"/proc/self/fdinfo/{pidfd}") or ""
    return "\nPid:\t" in info and "\nPid:\t-1" not in info


def _text(path: str) -> str | None:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return faithful(os.read(file, 16384))
    except OSError:
        return None
    finally:
        os.close(file)


def _link(path: str) -> str | None:
    try:
        return faithful(os.readlink(os.fsencode(path)))
    except OSError:
        return None


def _effective_uid(status: str) -> int | None:
    found = status.find("\nUid:")
    return int(status[found + 5 :].split(maxsplit=2)[1]) if found >= 0 else None


def _audit_id(text: str | None) -> int | None:
    value = int(text) if text and text.strip().isdigit() else _UNSET
    return None if value == _UNSET else value


def _cgroup(text: str) -> str | None:
    """Return the unified hierarchy's cgroup, else systemd's own one of cgroup v1."""
    lines = [line.split(":", 2) for line in text.splitlines()]
    named = {line[1]: line[2] for line in lines if len(line) == 3}  # noqa: PLR2004 - id:controllers:path
    return named.get("") or named.get("name=systemd")
