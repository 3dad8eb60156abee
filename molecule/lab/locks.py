"""Locks between processes that end with their holder, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.progress import Progress


@contextmanager
def locked(path: Path, *, progress: Progress | None = None) -> Iterator[None]:
    """Hold an exclusive flock(2) on `path` and remove the file at the end.

    A waiter that wakes up with the lock on a removed file starts again, so removal is safe.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _acquire(descriptor, path, progress)
            if not _is_still(descriptor, path):
                continue
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return
        finally:
            os.close(descriptor)


def _acquire(descriptor: int, path: Path, progress: Progress | None) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if progress is not None:
            progress.say(f"waiting for another run that holds {path}")
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _is_still(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
