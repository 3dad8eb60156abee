"""When to read what the kernel has queued: at once while little happens; in a burst now and then, so that it merges.

The kernel merges what it has not handed out yet: a file made, written, changed and removed is one record if it is
read late, and four if it is read at once. A writer that is gone by then is known by its exec record only, and if that
was read late, by its executable alone; hence no pause while it is quiet, or while programs begin one after the other.
"""

WINDOW_SECONDS = 0.05
BUSY_READS = 10
BUSY_RECORDS = 150
PAUSE_SECONDS = 0.01
STAYS_SECONDS = 0.1


class Pace:
    """Counts reads and records in a short window."""

    def __init__(self) -> None:
        self._began = 0.0
        self._reads = self._records = 0
        self._busy_until = self._begun_until = 0.0

    def pause(self, records: int, now: float, *, more: bool, begun: bool = False) -> float:
        """Return how many seconds to wait after a read of so many records; none if there was `more` to read.

        `begun` tells whether a program began among them.
        """
        if now - self._began > WINDOW_SECONDS:
            self._began, self._reads, self._records = now, 0, 0
        self._reads += 1
        self._records += records
        if self._reads >= BUSY_READS or self._records >= BUSY_RECORDS:
            self._busy_until = now + STAYS_SECONDS
        if begun:
            self._begun_until = now + STAYS_SECONDS
        return PAUSE_SECONDS if self._begun_until <= now < self._busy_until and not more else 0.0
