"""The SSH sessions open on this boot, and which of them have shown a channel. Pure values, small and bounded."""

import math
from typing import Any

import msgspec
from msgspec.structs import replace

NO_CHANNEL_AFTER_SECONDS = 5.0
CLOSED_GRACE_SECONDS = 1.0
KEPT = 4096


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """One session: what PAM said of it, and when (monotonic seconds) a missing channel means a forward.

    A channel may be seen before PAM's word arrives; until then `data` is None.
    """

    data: dict[str, Any] | None = None
    due: float = math.inf
    channels: int = 0
    closed: bool = False


class Sessions(msgspec.Struct, frozen=True):
    """Sessions by their audit session id."""

    by_audit: dict[int, Open] = {}

    def opened(self, audit: int, data: dict[str, Any], now: float) -> "Sessions":
        """Return the table with a session that has just opened; when it is full the oldest that has ended leaves.

        An ended session stays till then: a change to a file may be read after the session that made it is gone.
        """
        early = self.by_audit.get(audit, Open())
        return self._with(audit, replace(early, data=data, due=now + NO_CHANNEL_AFTER_SECONDS))

    def channel(self, audit: int) -> "Sessions":
        """Return the table after a channel was seen on a session."""
        known = self.by_audit.get(audit, Open())
        return self._with(audit, replace(known, channels=known.channels + 1))

    def closed(self, audit: int, now: float) -> "Sessions":
        """Return the table after a session's end; one without a channel is soon due."""
        known = self.by_audit.get(audit)
        if known is None:
            return self
        return self._with(audit, replace(known, closed=True, due=min(known.due, now + CLOSED_GRACE_SECONDS)))

    def silent(self, now: float) -> tuple[int, ...]:
        """Return the sessions that are due without having shown a channel: only a forward is left."""
        return tuple(a for a, s in self.by_audit.items() if not s.channels and s.due <= now)

    def next_due(self) -> float | None:
        """Return when :meth:`silent` may next name a session, None when nothing is waited for."""
        return min((s.due for s in self.by_audit.values() if not s.channels), default=None)

    def data(self, audit: int) -> dict[str, Any] | None:
        """Return what PAM said of a session, None when it is not known."""
        known = self.by_audit.get(audit)
        return None if known is None else known.data

    def _with(self, audit: int, session: Open) -> "Sessions":
        table = {**self.by_audit, audit: session}
        if len(table) > KEPT:
            del table[next((old for old, known in table.items() if known.closed), next(iter(table)))]
        return Sessions(table)
