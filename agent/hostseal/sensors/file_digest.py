"""The SHA-256 of a file that may be anything by now: no link, device or pipe is ever opened for it."""

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator

FILE_LIMIT = 64 << 20
_CHUNK = 1 << 18


@contextlib.contextmanager
def opened(path: bytes, limit: int) -> Iterator[tuple[int, os.stat_result] | None]:
    """Give a regular file of at most `limit` bytes, open for reading, and its status; None for anything else."""
    try:
        place = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        status = os.fstat(place)
        file = None
        if stat.S_ISREG(status.st_mode) and status.st_size <= limit:
            file = os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        file = None
    finally:
        os.close(place)
    try:
        yield None if file is None else (file, status)
    finally:
        if file is not None:
            os.close(file)


def sha256(path: bytes, limit: int = FILE_LIMIT) -> str | None:
    """Return the digest of a regular file of at most `limit` bytes, None for anything else."""
    with opened(path, limit) as file:
        try:
            return None if file is None else _digest(file[0], limit)
        except OSError:
            return None


def _digest(file: int, limit: int) -> str | None:
    digest, left = hashlib.sha256(), limit + 1
    while left > 0 and (chunk := os.read(file, min(_CHUNK, left))):
        digest.update(chunk)
        left -= len(chunk)
    return digest.hexdigest() if left > 0 else None
