"""Locks between processes that end with their holder, however it ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hostseal.errors import LockedError

# Longer than an image takes to build.
WAIT_SECONDS = 1800.0
_PAUSE_SECONDS = 0.05


@contextmanager
def locked(path: Path, *, seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold an exclusive flock(2) on `path`, which stays as an empty file; another process waits. LockedError, OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _acquire(descriptor, path, time.monotonic() + seconds)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise LockedError(f"another process holds {path}", hint="fuser shows which one") from None
            time.sleep(_PAUSE_SECONDS)
        else:
            return
