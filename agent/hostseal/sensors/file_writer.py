"""Reads who a process is from /proc while it lives, and remembers it for when it no longer does."""

import time
from collections import OrderedDict
from collections.abc import Callable

from msgspec.structs import replace

from hostseal.core.attribution import ProcessFacts, Proof, executing
from hostseal.core.roles import NONE, SYSTEM
from hostseal.sensors.pid_reuse import PidCircle
from hostseal.sensors.proc import Proc
from hostseal.sensors.proc import read as text

JOIN_SECONDS = 60.0
"""How long a record stands for its pid, and only as long as the pid cannot have been given again."""

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
        circle: PidCircle | None = None,
    ) -> None:
        self._read = read or Proc().facts
        self._executed = executed
        self._capacity = capacity
        self._clock = clock
        self._circle = circle or PidCircle()
        self._known: OrderedDict[int, tuple[float, int, ProcessFacts]] = OrderedDict()
        self._batch: dict[int, ProcessFacts | None] = {}

    def next_batch(self) -> None:
        """Forget what was read for the last batch."""
        self._batch.clear()

    def executed(self, pid: int, pidfd: int, exe: str) -> None:
        """Note that `pid` has begun to execute `exe`."""
        facts = self._proven(pid, pidfd, None) if pidfd >= 0 else None
        before = facts or self._recalled(pid) or ProcessFacts(pid=pid, proof=Proof.JOINED)
        after = executing(before, exe)
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
        at, forks, facts = self._known.get(pid, (0.0, 0, None))
        if facts is None or self._clock() - at > JOIN_SECONDS or self._circle.may_be_another(forks):
            return None
        return replace(facts, proof=Proof.JOINED)

    def _proven(self, pid: int, pidfd: int, known: ProcessFacts | None) -> ProcessFacts | None:
        facts = self._read(pid)
        if facts is None or not _unreaped(pidfd):
            return None
        if known is not None and known.exe is not None and known.may_be(facts):
            facts = _as_it_was(facts, known.exe)
        self._remember(facts)
        return facts

    def _remember(self, facts: ProcessFacts) -> None:
        self._known[facts.pid] = (self._clock(), self._circle.now(), facts)
        self._known.move_to_end(facts.pid)
        while len(self._known) > self._capacity:
            self._known.popitem(last=False)


def _as_it_was(facts: ProcessFacts, exe: str) -> ProcessFacts:
    """Return the facts of a process that was last known to execute `exe`, as they were when it made its change.

    A program that /proc names and no record does was begun after the change: its record is still in the queue. Only
    where none is written, for files outside the image's folders, the newer name is kept; neither is sure then.
    """
    if facts.exe is None:
        return replace(facts, exe=exe, proof=Proof.JOINED)
    if facts.exe == exe or facts.exe.endswith(" (deleted)"):
        return facts
    unsure = replace(facts, proof=Proof.JOINED, given=NONE)
    return executing(unsure, exe) if facts.exe.startswith(SYSTEM) else unsure


def _unreaped(pidfd: int) -> bool:
    """Tell whether the process still has its pid, running or as a zombie: what /proc said was said of it.

    fdinfo says `Pid: -1` once it is reaped; no permission is needed, as there would be for a signal.
    """
    info = text(f"/proc/self/fdinfo/{pidfd}") or ""
    return "\nPid:\t" in info and "\nPid:\t-1" not in info
