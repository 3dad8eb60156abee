"""The kernel's fanotify interface, as bytes and system calls: fanotify(7), fanotify_init(2), open_by_handle_at(2)."""

import ctypes
import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

ATTRIB = 0x0000_0004
CLOSE_WRITE = 0x0000_0008
MOVED_FROM = 0x0000_0040
MOVED_TO = 0x0000_0080
CREATE = 0x0000_0100
DELETE = 0x0000_0200
OPEN_EXEC = 0x0000_1000
Q_OVERFLOW = 0x0000_4000
ONDIR = 0x4000_0000

CHANGES = ATTRIB | CLOSE_WRITE | MOVED_FROM | MOVED_TO | CREATE | DELETE | ONDIR

CLOEXEC = 0x01
NONBLOCK = 0x02
REPORT_PIDFD = 0x80
REPORT_FID = 0x200
REPORT_DFID_NAME = 0x400 | 0x800
REPORT_TARGET_FID = 0x1000

MARK_ADD = 0x01
MARK_ONLYDIR = 0x08
MARK_FILESYSTEM = 0x100

NO_PIDFD = -1
"""The process was gone when its event was read, or the kernel does not report pidfds."""

_AT_FDCWD = -100
_METADATA = struct.Struct("=IBBHQii")
_METADATA_VERSION = 3
_INFO_HEADER = struct.Struct("=BxH")
_HANDLE_SIZE = struct.Struct("=I")
_INT = struct.Struct("=i")
_FSID = struct.Struct("=II")
_INFO_FID = 1
_INFO_DFID_NAME = 2
_INFO_DFID = 3
_INFO_PIDFD = 4
_FSID_AT = 4
_HANDLE_AT = _FSID_AT + _FSID.size
_HANDLE_HEADER = 8

_libc = ctypes.CDLL(None, use_errno=True)
_libc.fanotify_mark.argtypes = [ctypes.c_int, ctypes.c_uint, ctypes.c_uint64, ctypes.c_int, ctypes.c_char_p]
_libc.fanotify_init.argtypes = [ctypes.c_uint, ctypes.c_uint]
_libc.open_by_handle_at.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int]


class Record(NamedTuple):
    """One event as the kernel wrote it; a plain tuple, for there are hundreds of thousands of them.

    `directory` and `target` are the filesystem's id followed by the `struct file_handle`, as bytes:
    good as keys and, without the first eight bytes, as the argument of open_by_handle_at(2).
    """

    mask: int
    pid: int
    pidfd: int
    directory: bytes
    name: bytes
    target: bytes


class AbiError(Exception):
    """The kernel speaks another version of this interface."""


def init(flags: int) -> int:
    """Return the descriptor of a new group. Raises `OSError` as fanotify_init(2) does."""
    group = int(_libc.fanotify_init(flags, os.O_RDONLY | os.O_CLOEXEC | os.O_LARGEFILE))
    if group < 0:
        raise _error(b"fanotify_init")
    return group


def mark_filesystem(group: int, mask: int, path: bytes) -> None:
    """Have `group` told of `mask` on the whole filesystem that holds `path`. Raises `OSError`."""
    if _libc.fanotify_mark(group, MARK_ADD | MARK_FILESYSTEM, mask, _AT_FDCWD, path) < 0:
        raise _error(path)


def open_handle(mount: int, key: bytes, flags: int) -> int:
    """Open what `key` names on the filesystem of the descriptor `mount`. Raises `OSError` (ESTALE: it is gone)."""
    opened = int(_libc.open_by_handle_at(mount, key[_FSID.size :], flags))
    if opened < 0:
        raise _error(b"open_by_handle_at")
    return opened


def filesystem_of(key: bytes) -> int:
    """Return the filesystem's id out of `key`, in the form of `os.statvfs(...).f_fsid`."""
    low, high = _FSID.unpack_from(key)
    return int(low) | int(high) << 32


def key_of(filesystem: int, handle_type: int, handle: bytes) -> bytes:
    """Return the key of a handle; what `filesystem_of` and `open_handle` take apart."""
    size = _HANDLE_SIZE.pack(len(handle)) + _INT.pack(handle_type)
    return _FSID.pack(filesystem & 0xFFFF_FFFF, filesystem >> 32) + size + handle


def records(buffer: bytes) -> Iterator[Record]:
    """Take apart what one read(2) returned. Raises `AbiError` on a version this file does not know."""
    at, end = 0, len(buffer)
    while end - at >= _METADATA.size:
        length, version, _, header, mask, _, pid = _METADATA.unpack_from(buffer, at)
        if version != _METADATA_VERSION or length < header:
            raise AbiError(f"fanotify metadata version {version}, length {length}: not known to this program")
        pidfd, directory, name, target = NO_PIDFD, b"", b"", b""
        info, stop = at + header, at + length
        while info < stop:
            kind, size = _INFO_HEADER.unpack_from(buffer, info)
            if size < _INFO_HEADER.size:
                raise AbiError(f"fanotify information record of {size} bytes")
            if kind == _INFO_PIDFD:
                (pidfd,) = _INT.unpack_from(buffer, info + _INFO_HEADER.size)
            elif kind in (_INFO_FID, _INFO_DFID, _INFO_DFID_NAME):
                (handle,) = _HANDLE_SIZE.unpack_from(buffer, info + _HANDLE_AT)
                key_end = info + _HANDLE_AT + _HANDLE_HEADER + handle
                key = buffer[info + _FSID_AT : key_end]
                if kind == _INFO_FID:
                    target = key
                else:
                    directory = key
                    if kind == _INFO_DFID_NAME:
                        name = buffer[key_end : buffer.index(0, key_end)]
            info += size
        yield Record(mask, pid, pidfd, directory, name, target)
        at = stop


def _error(what: bytes) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number), os.fsdecode(what))
