"""Lines that tell a waiting person what is going on."""

import sys
import time


class Progress:
    """Writes one line per step to standard error, with the time since the start of the work."""

    def __init__(self, *, prefix: str = "lab") -> None:
        """Start counting now."""
        self._prefix = prefix
        self._began = time.monotonic()

    def say(self, line: str) -> None:
        """Show a line at once, also through a pipe."""
        elapsed = time.monotonic() - self._began
        print(f"{self._prefix} {elapsed:6.1f}s  {line}", file=sys.stderr, flush=True)
