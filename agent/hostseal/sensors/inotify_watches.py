"""pyinotify's table of watches, made safe for any file name and any limit."""

import errno
import os
import warnings
from typing import Any, Self

from hostseal.core.text import faithful
from hostseal.ports import FileSink
from hostseal.sensors.file_scope import Position, Scope
from hostseal.sensors.file_tree import walk

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # asyncore; from 3.12 on pyasyncore takes its place
    import pyinotify

ATTRIB: int = pyinotify.IN_ATTRIB
CLOSE_WRITE: int = pyinotify.IN_CLOSE_WRITE
CREATE: int = pyinotify.IN_CREATE
DELETE: int = pyinotify.IN_DELETE
IGNORED: int = pyinotify.IN_IGNORED
ISDIR: int = pyinotify.IN_ISDIR
MOVED_FROM: int = pyinotify.IN_MOVED_FROM
MOVED_TO: int = pyinotify.IN_MOVED_TO
MOVE_SELF: int = pyinotify.IN_MOVE_SELF
Q_OVERFLOW: int = pyinotify.IN_Q_OVERFLOW
UNMOUNT: int = pyinotify.IN_UNMOUNT

_ENTRIES: int = CREATE | DELETE | MOVED_FROM | MOVED_TO | pyinotify.IN_ONLYDIR | pyinotify.IN_DONT_FOLLOW
_ALL: int = _ENTRIES | CLOSE_WRITE | ATTRIB | MOVE_SELF
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class Watches:
    """The watched directories of a scope, by watch number and by path. `fileno` is good for poll(2)."""

    def __init__(self, scope: Scope, sink: FileSink) -> None:
        self._scope = scope
        self._sink = sink
        self._calls = _calls()
        self._manager: Any = pyinotify.WatchManager()
        self._manager._inotify_wrapper = self._calls  # noqa: SLF001 - its own encodes no surrogates
        os.set_blocking(self.fileno(), False)

    def fileno(self) -> int:
        """Return the inotify descriptor."""
        return int(self._manager.get_fd())

    def path(self, watch: int) -> bytes | None:
        """Return the directory of a watch, None for one that was given up."""
        known = self._manager.get_watch(watch)
        return os.fsencode(known.path) if known is not None else None

    def cover(self, top: bytes) -> list[bytes]:
        """Watch `top` and all below it that is watched; return what is there. A directory is listed after its watch."""
        found = []
        for path, is_directory in walk(top, self._scope, self._unread):
            if path != top:
                found.append(path)
            if is_directory:
                self._add(path)
        return found

    def drop(self, top: bytes) -> None:
        """Give up the watches of `top` and below it: their paths are no longer true."""
        name = os.fsdecode(top)
        below = name.rstrip("/") + "/"
        for watch, known in list(self._manager.watches.items()):
            if known.path == name or known.path.startswith(below):
                self._calls.inotify_rm_watch(self.fileno(), watch)
                self.gone(watch)

    def gone(self, watch: int) -> None:
        """Forget a watch that the kernel has ended."""
        self._manager.watches.pop(watch, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._manager.close()

    def _add(self, path: bytes) -> None:
        position = self._scope.position(path)
        mask = _ALL if position is Position.INSIDE else _ENTRIES
        try:
            self._manager.add_watch(os.fsdecode(path), mask, quiet=False)
        except pyinotify.WatchManagerError:
            number = self._calls.get_errno()
            if number in _GONE:
                return
            cause = "watch_limit" if number == errno.ENOSPC else "directory_not_watched"
            detail = {"directory": faithful(path), "error": os.strerror(number)}
            self._sink.lost(cause, str(self._scope), detail)

    def _unread(self, path: bytes, error: OSError) -> None:
        self._sink.lost("directory_not_read", faithful(path), {"error": error.strerror or ""})


class _Calls(pyinotify._CtypesLibcINotifyWrapper):  # type: ignore[misc]  # noqa: SLF001
    """The system calls, with names as bytes: pyinotify's own way fails on a name that is not UTF-8."""

    def _inotify_add_watch(self, descriptor: int, path: str, mask: int) -> int:
        return int(self._libc.inotify_add_watch(descriptor, os.fsencode(path), mask))


def _calls() -> Any:
    calls = _Calls()
    if not calls.init():
        raise OSError(errno.ENOSYS, "this C library has no inotify")
    return calls
