"""What a path is now, as the seal records it. No link is followed and nothing but a regular file is opened."""

import errno
import hashlib
import os
import stat
import threading
from collections.abc import Callable

from hostseal.core.seal import Entry
from hostseal.core.seal_format import Item, Letter
from hostseal.core.seal_format import entry as spelled

NO_LIMIT = 1 << 62
_CHUNK = 1 << 18
_TRIES = 3
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_LETTERS: dict[int, Letter] = {
    stat.S_IFREG: "f",
    stat.S_IFDIR: "d",
    stat.S_IFLNK: "l",
    stat.S_IFIFO: "p",
    stat.S_IFSOCK: "s",
    stat.S_IFCHR: "c",
    stat.S_IFBLK: "b",
}
_KEPT = ("security.capability", "system.posix_acl_access", "system.posix_acl_default")
_KEPT_SPACES = ("user.", "trusted.")
# overlayfs writes them for itself, and shows them to nobody but who looks at a layer by itself.
_LEFT_OUT = ("trusted.overlay.", "user.overlay.")
_NO_ATTRIBUTES = {errno.ENOTSUP, errno.ENODATA}

_NONE: dict[str, bytes] = {}


class _Buffer(threading.local):
    """What a thread reads into: the same memory for every file."""

    def __init__(self) -> None:
        memory = bytearray(_CHUNK)
        self.bytes, self.view = [memory], memoryview(memory)


_buffer = _Buffer()

Spent = Callable[[int], None]
"""Is told how many bytes were read: where a scan that is to stay in the background waits."""


def entry(path: bytes, place: bytes, *, limit: int = NO_LIMIT) -> Entry:
    """Return what is at `place`, under the name `path`.

    FileNotFoundError when nothing is; OSError when it cannot be read, changes while it is read, or is a file of more than
    `limit` bytes.
    """
    folder, name = os.path.split(place.rstrip(b"/"))
    directory = os.open(folder or b".", _FOLDER)
    try:
        found, _ = item(directory, name or b".", limit=limit)
    finally:
        os.close(directory)
    return spelled(os.path.dirname(path), renamed(found, os.path.basename(path)))


def renamed(found: Item, name: bytes) -> Item:
    """Return an item under another name."""
    return Item(name, found.kind, found.mode, found.uid, found.gid, found.size, found.content, found.xattrs)


def item(
    directory: int, name: bytes, *, limit: int = NO_LIMIT, spent: Spent | None = None
) -> tuple[Item, os.stat_result]:
    """Return what a name in an open directory is, and the status that its content was read at. OSError as :func:`entry`."""
    for _ in range(_TRIES):
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        mode = status.st_mode
        if not stat.S_ISREG(mode):
            return _other(directory, name, status), status
        found = _file(directory, name, status, limit, spent)
        if found is not None:
            return found, status
    raise OSError(errno.EAGAIN, "changes while it is read")


def surface(directory: int, name: bytes) -> Item:
    """Return what a name in an open directory is, without a file's content. OSError."""
    status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    if stat.S_ISREG(status.st_mode):
        place = b"/proc/self/fd/%d/%s" % (directory, name)
        return recorded(name, status, b"", _attributes(place))
    return _other(directory, name, status)


def recorded(name: bytes, status: os.stat_result, sha256: bytes, xattrs: dict[str, bytes]) -> Item:
    """Return a file of which all is known."""
    return Item(
        name,
        "f",
        status.st_mode & 0o7777,
        status.st_uid,
        status.st_gid,
        status.st_size,
        sha256,
        xattrs,
    )


def _file(
    directory: int, name: bytes, status: os.stat_result, limit: int, spent: Spent | None
) -> Item | None:
    """Return a regular file as it is, None when it is not what `status` says any more."""
    size = status.st_size
    if size > limit:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    try:
        file = os.open(name, _FILE, dir_fd=directory)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:  # a link or a socket by now
            return None
        raise
    try:
        opened = os.fstat(file)
        if opened.st_mode != status.st_mode or opened.st_ino != status.st_ino:
            return None  # something else by now, be it with the number of what was there
        buffer, view = _buffer.bytes, _buffer.view
        count = os.readv(file, buffer)
        if count < _CHUNK:
            digest = hashlib.sha256(view[:count]).digest()
        else:
            digest, count = _hashed(file, size, count)
        if spent is not None:
            spent(count)
        if count != size or not _same(status, os.fstat(file)):
            return None
        return recorded(name, status, digest, _attributes(file))
    finally:
        os.close(file)


def _hashed(file: int, size: int, count: int) -> tuple[bytes, int]:
    """Return the digest of a file whose first `count` bytes are in the buffer, and how many bytes it has."""
    digest = hashlib.sha256(_buffer.view)
    while count <= size and (got := os.readv(file, _buffer.bytes)):
        digest.update(_buffer.view[:got])
        count += got
    return digest.digest(), count


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return (
        one.st_ctime_ns == other.st_ctime_ns
        and one.st_mtime_ns == other.st_mtime_ns
        and one.st_size == other.st_size
        and one.st_ino == other.st_ino
        and one.st_dev == other.st_dev
    )


def _other(directory: int, name: bytes, status: os.stat_result) -> Item:
    letter = _LETTERS[stat.S_IFMT(status.st_mode)]
    content = b""
    if letter == "l":
        content = os.readlink(name, dir_fd=directory)
    elif letter in {"c", "b"}:
        content = b"%d:%d" % (os.major(status.st_rdev), os.minor(status.st_rdev))
    xattrs = _attributes(b"/proc/self/fd/%d/%s" % (directory, name))
    return Item(name, letter, status.st_mode & 0o7777, status.st_uid, status.st_gid, 0, content, xattrs)


def _attributes(place: int | bytes) -> dict[str, bytes]:
    """Return the extended attributes that are recorded, in the order of their names."""
    follow = isinstance(place, int)
    try:
        names = os.listxattr(place, follow_symlinks=follow)
    except OSError as error:
        if error.errno in _NO_ATTRIBUTES:
            return _NONE
        raise
    if not names:
        return _NONE
    found = {}
    for name in sorted(names):
        if name in _KEPT or (name.startswith(_KEPT_SPACES) and not name.startswith(_LEFT_OUT)):
            try:
                value = os.getxattr(place, name, follow_symlinks=follow)
            except OSError as error:
                if error.errno in _NO_ATTRIBUTES:
                    continue
                raise
            found[os.fsencode(name).decode("utf-8", "backslashreplace")] = value
    return found
