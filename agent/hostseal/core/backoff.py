"""How long to wait before the next try."""

BASE_SECONDS = 0.5
CAP_SECONDS = 30.0


def delay(attempts: int, *, base: float = BASE_SECONDS, cap: float = CAP_SECONDS) -> float:
    """Return the seconds to wait after `attempts` failures (1 or more): doubling from `base` up to `cap`."""
    return min(cap, base * 2.0 ** min(max(attempts, 1) - 1, 32))
