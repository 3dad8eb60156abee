"""Whether a pid can have been given to another process since: by the number of forks, for pids go round in a circle."""

import time
from collections.abc import Callable

from hostseal.sensors.proc import read

FRESH_SECONDS = 0.25
"""How old a count may be: far below the time in which the smallest circle (32,768) can be gone round."""

_SMALLEST = 32_768


def forks() -> int:
    """Return how many processes and threads were begun since boot: `processes` in /proc/stat, proc(5)."""
    for line in (read("/proc/stat") or "").splitlines():
        if line.startswith("processes "):
            return int(line.split()[1])
    return 0


def pids() -> int:
    """Return how many pids there are to give."""
    return int((read("/proc/sys/kernel/pid_max") or "").strip() or _SMALLEST)


class PidCircle:
    """The kernel gives a free pid again only when it has given nearly all others: pids(7) rise and then begin anew.

    A pid is taken to be still the same process's while fewer than half of all pids were given since. That holds with up
    to as many living threads; it does not hold against root, who may choose the next pid (/proc/sys/kernel/ns_last_pid).
    """

    def __init__(
        self,
        count: Callable[[], int] = forks,
        size: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._count, self._clock = count, clock
        self._half = (size or pids()) // 2
        self._at, self._seen = -1.0, 0

    def now(self) -> int:
        """Return the count of forks, at most :data:`FRESH_SECONDS` old."""
        moment = self._clock()
        if self._at < 0 or moment - self._at > FRESH_SECONDS:
            self._at, self._seen = moment, self._count()
        return self._seen

    def may_be_another(self, since: int) -> bool:
        """Tell whether a pid that was noted when the count was `since` may be another process's by now."""
        return self.now() - since >= self._half
