"""Opens a file that may be anything by now: no link, device or pipe is ever opened for reading."""

import contextlib
import os
import stat
from collections.abc import Iterator


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
