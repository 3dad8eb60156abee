"""The kernel's fanotify interface, as bytes and system calls: fanotify(7), fanotify_init(2), open_by_handle_at(2)."""

import ctypes
import os
import struct
from typing import NamedTuple

MODIFY = 0x0000_0002
ATTRIB = 0x0000_0004
CLOSE_WRITE = 0x0000_0008
MOVED_FROM = 0x0000_0040
MOVED_TO = 0x0000_0080
CREATE = 0x0000_0100
DELETE = 0x0000_0200
OPEN_EXEC = 0x0000_1000
Q_OVERFLOW = 0x0000_4000
RENAME = 0x1000_0000
EVENT_ON_CHILD = 0x0800_0000
ONDIR = 0x4000_0000

MOVED = MOVED_FROM | MOVED_TO
CONTENT = MODIFY | CLOSE_WRITE
CHANGES = ATTRIB | CONTENT | MOVED | RENAME | CREATE | DELETE | ONDIR

CLOEXEC = 0x01
NONBLOCK = 0x02
REPORT_PIDFD = 0x80
REPORT_FID = 0x200
REPORT_DFID_NAME = 0x400 | 0x800
REPORT_TARGET_FID = 0x1000

MARK_ADD = 0x01
MARK_FLUSH = 0x80
MARK_FILESYSTEM = 0x100
MARK_IGNORE = 0x400 | 0x40
"""FAN_MARK_IGNORE_SURV, from Linux 6.0."""

NO_PIDFD = -1
"""The process was gone when its event was read, or the kernel does not report pidfds."""

_AT_FDCWD = -100
_METADATA = struct.Struct("=IBBHQii")
_METADATA_VERSION = 3
_INFO = struct.Struct("=BxHi")
"""Kind and size of an information record; the number is the pidfd where it is one."""

_HANDLE_SIZE = struct.Struct("=I")
_HANDLE_TYPED = struct.Struct("=Ii")
_HANDLE_LIMIT = 128
"""MAX_HANDLE_SZ of the kernel."""

_INT = struct.Struct("=i")
_FSID = struct.Struct("=II")
_INFO_FID = 1
_INFO_DFID_NAME = 2
_INFO_DFID = 3
_INFO_PIDFD = 4
_INFO_OLD_DFID_NAME = 10
_INFO_NEW_DFID_NAME = 12
_HANDLES = frozenset((_INFO_FID, _INFO_DFID_NAME, _INFO_DFID, _INFO_OLD_DFID_NAME, _INFO_NEW_DFID_NAME))
_NAMED = _HANDLES - {_INFO_FID, _INFO_DFID}
_KEY_AT = 4
_HANDLE_AT = _KEY_AT + _FSID.size
_KEY_SIZE = _FSID.size + 8
"""The filesystem's id, and a `struct file_handle` without the handle."""

_LEAST = _KEY_AT + _KEY_SIZE
_CUT = (0, 0, 0)

_libc = ctypes.CDLL(None, use_errno=True)
_libc.fanotify_mark.argtypes = [ctypes.c_int, ctypes.c_uint, ctypes.c_uint64, ctypes.c_int, ctypes.c_char_p]
_libc.fanotify_init.argtypes = [ctypes.c_uint, ctypes.c_uint]
_libc.open_by_handle_at.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int]


class Record(NamedTuple):
    """One event as the kernel wrote it; a plain tuple, for there are hundreds of thousands of them.

    `directory` and `target` are the filesystem's id followed by the `struct file_handle`, as bytes:
    good as keys and, without the first eight bytes, as the argument of open_by_handle_at(2).
    Of a RENAME, `directory` and `name` are the old ones, `to_directory` and `to_name` the new.
    """

    mask: int
    pid: int
    pidfd: int
    directory: bytes
    name: bytes
    target: bytes
    to_directory: bytes = b""
    to_name: bytes = b""


class AbiError(Exception):
    """The kernel speaks another version of this interface. `parsed` is what came before, with its open pidfds."""

    def __init__(self, message: str, parsed: tuple[Record, ...] = ()) -> None:
        super().__init__(message)
        self.parsed = parsed


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


def ignore(group: int, mask: int, path: bytes) -> None:
    """Have `group` no longer told of `mask` on what is directly in the directory `path`. Raises `OSError`."""
    if _libc.fanotify_mark(group, MARK_ADD | MARK_IGNORE, mask | EVENT_ON_CHILD, _AT_FDCWD, path) < 0:
        raise _error(path)


def heed(group: int) -> None:
    """Take back everything `ignore` has asked for. Raises `OSError`."""
    if _libc.fanotify_mark(group, MARK_FLUSH, 0, _AT_FDCWD, None) < 0:
        raise _error(b"fanotify_mark")


def open_handle(mount: int, key: bytes, flags: int) -> int:
    """Open what `key` names on the filesystem of the descriptor `mount`. Raises `OSError` (ESTALE: it is gone)."""
    opened = int(_libc.open_by_handle_at(mount, key[_FSID.size :], flags))
    if opened < 0:
        raise _error(b"open_by_handle_at")
    return opened


def key_at(path: bytes) -> bytes:
    """Return the key of what is at `path`, which is not followed. Raises `OSError` as name_to_handle_at(2) does."""
    handle = ctypes.create_string_buffer(_HANDLE_SIZE.pack(_HANDLE_LIMIT) + bytes(4 + _HANDLE_LIMIT))
    mount = ctypes.c_int()
    if _libc.name_to_handle_at(_AT_FDCWD, path, handle, ctypes.byref(mount), 0) < 0:
        raise _error(path)
    size, kind = _HANDLE_TYPED.unpack_from(handle)
    return key_of(os.statvfs(os.path.dirname(path)).f_fsid, kind, handle.raw[_HANDLE_TYPED.size :][:size])


def filesystem_of(key: bytes) -> int:
    """Return the filesystem's id out of `key`, in the form of `os.statvfs(...).f_fsid`."""
    low, high = _FSID.unpack_from(key)
    return int(low) | int(high) << 32


def key_of(filesystem: int, handle_type: int, handle: bytes) -> bytes:
    """Return the key of a handle; what `filesystem_of` and `open_handle` take apart."""
    size = _HANDLE_SIZE.pack(len(handle)) + _INT.pack(handle_type)
    return _FSID.pack(filesystem & 0xFFFF_FFFF, filesystem >> 32) + size + handle


def records(buffer: bytes) -> list[Record]:
    """Take apart what one read(2) returned. Raises `AbiError` on a form this file does not know."""
    found: list[Record] = []
    try:
        _parse(buffer, found)
    except AbiError as error:
        raise AbiError(str(error), tuple(found)) from None
    return found


def _parse(buffer: bytes, found: list[Record]) -> None:
    at, end = 0, len(buffer)
    while at < end:
        if end - at < _METADATA.size:
            raise AbiError(f"fanotify metadata cut off after {end - at} bytes")
        length, version, _, header, mask, _, pid = _METADATA.unpack_from(buffer, at)
        stop = at + length
        if version != _METADATA_VERSION or not _METADATA.size <= header <= length or stop > end:
            raise AbiError(f"fanotify metadata version {version}, length {length}: not known to this program")
        found.append(_record(buffer, at + header, stop, mask, pid))
        at = stop


def _record(buffer: bytes, info: int, stop: int, mask: int, pid: int) -> Record:
    """Half of the reader's time is spent here."""
    pidfd, directory, name, target, to_directory, to_name = NO_PIDFD, b"", b"", b"", b"", b""
    while info < stop:
        kind, size, number = _INFO.unpack_from(buffer, info) if info + _INFO.size <= stop else _CUT
        after = info + size
        if size < _INFO.size or after > stop:
            raise AbiError(
                f"fanotify information record of kind {kind}, {size} bytes, where {stop - info} are left"
            )
        if kind == _INFO_PIDFD:
            pidfd = number
        elif kind in _HANDLES:
            start = info + _KEY_AT
            end = (
                start
                + _KEY_SIZE
                + (_HANDLE_SIZE.unpack_from(buffer, info + _HANDLE_AT)[0] if size >= _LEAST else stop)
            )
            stated = buffer.find(0, end, after) if kind in _NAMED else end
            if end > after or stated < 0:
                raise AbiError(f"fanotify handle or name beyond the {size} bytes of its record")
            if kind == _INFO_FID:
                target = buffer[start:end]
            elif kind == _INFO_NEW_DFID_NAME:
                to_directory, to_name = buffer[start:end], buffer[end:stated]
            else:
                directory, name = buffer[start:end], buffer[end:stated]
        info = after
    return Record(mask, pid, pidfd, directory, name, target, to_directory, to_name)


def _error(what: bytes) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number), os.fsdecode(what))
