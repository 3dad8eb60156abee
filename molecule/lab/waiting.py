"""Waiting for a thing instead of for a time."""

import time
from collections.abc import Callable

from lab.errors import LabError


def wait_until(done: Callable[[], bool], *, seconds: float, what: str, every: float = 0.05) -> None:
    """Return as soon as `done` is true; raise LabError naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() >= deadline:
            raise LabError(f"gave up after {seconds:g} s waiting for {what}")
        time.sleep(every)
