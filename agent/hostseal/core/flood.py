"""How many of the same observation are reported: so many a minute, and how many more there were."""

import msgspec

_MINUTE = 60.0


class Flood(msgspec.Struct, frozen=True, kw_only=True):
    """The minute that is counted, from `since` (seconds), and what was kept back since the last one reported."""

    since: float = float("-inf")
    reported: int = 0
    kept_back: int = 0


def passed(flood: Flood, now: float, limit: int) -> tuple[Flood, bool, int]:
    """Return the count after one more at `now`, whether it is to be reported, and how many were not before it.

    A clock that was set back begins a new minute.
    """
    if not 0 <= now - flood.since < _MINUTE:
        flood = Flood(since=now, kept_back=flood.kept_back)
    if flood.reported >= limit:
        return msgspec.structs.replace(flood, kept_back=flood.kept_back + 1), False, 0
    return Flood(since=flood.since, reported=flood.reported + 1), True, flood.kept_back
