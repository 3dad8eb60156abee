"""A bound on how often something is done."""


class Pace:
    """Lets `rate` things pass a second, and as many at once after a second of rest."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._left = rate
        self._at = 0.0

    def take(self, now: float) -> bool:
        """Return whether one more may pass at `now` (monotonic seconds)."""
        self._left = min(self._rate, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
