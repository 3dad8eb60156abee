"""When to read what the kernel has queued: at once while little happens; in a burst now and then, so that it merges.

The kernel merges what it has not handed out yet: a file made, written, changed and removed is one record if it is
read late, and four if it is read at once. A writer that is gone by then is known by its exec record only; hence
no pause while it is quiet, when a single short command is what matters.
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
        self._busy_until = 0.0

    def pause(self, records: int, now: float, *, more: bool) -> float:
        """Return how many seconds to wait after a read of so many records; none if there was `more` to read."""
        if now - self._began > WINDOW_SECONDS:
            self._began, self._reads, self._records = now, 0, 0
        self._reads += 1
        self._records += records
        if self._reads >= BUSY_READS or self._records >= BUSY_RECORDS:
            self._busy_until = now + STAYS_SECONDS
        return PAUSE_SECONDS if now < self._busy_until and not more else 0.0
