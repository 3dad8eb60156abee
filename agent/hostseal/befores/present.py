"""What is at a path now, as the store of befores wants it."""

import os
import stat
import struct
from enum import Enum

import msgspec

from hostseal.befores.regular import opened

_STAMP = struct.Struct("=QQqqq")


class Kind(Enum):
    """What is there."""

    TEXT = "text"
    OTHER = "other"
    """A file that is too large, has a NUL in it, cannot be read; or no regular file."""
    DIRECTORY = "directory"
    NOTHING = "nothing"


class Present(msgspec.Struct, frozen=True):
    """`content` is of a text; `stamp` says by `stat` alone whether a file is still the same, empty for nothing."""

    kind: Kind
    content: bytes | None = None
    stamp: bytes = b""


def stamp_of(status: os.stat_result) -> bytes:
    """Return what changes whenever a file's content does: device, inode, size, times."""
    return _STAMP.pack(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def look(path: bytes, limit: int) -> Present:
    """Return what is at a path; a file's content where it is at most `limit` bytes and has no NUL. Raises nothing."""
    try:
        status = os.lstat(path)
    except OSError:
        return Present(Kind.NOTHING)
    if stat.S_ISDIR(status.st_mode):
        return Present(Kind.DIRECTORY, stamp=stamp_of(status))
    with opened(path, limit) as file:
        if file is None:
            return Present(Kind.OTHER, stamp=stamp_of(status))
        descriptor, status = file
        content = _read(descriptor, limit)
    if content is None or b"\0" in content:
        return Present(Kind.OTHER, stamp=stamp_of(status))
    return Present(Kind.TEXT, content, stamp_of(status))


def _read(file: int, limit: int) -> bytes | None:
    parts = bytearray()
    try:
        while len(parts) <= limit and (chunk := os.read(file, limit + 1 - len(parts))):
            parts += chunk
    except OSError:
        return None
    return bytes(parts) if len(parts) <= limit else None
