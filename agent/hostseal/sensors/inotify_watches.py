"""pyinotify's watches, made safe for any file name and any limit."""

import errno
import os
import warnings
from typing import Any, Self

from hostseal.core.text import faithful
from hostseal.ports import FileSink
from hostseal.sensors.file_scope import Position, Scope
from hostseal.sensors.file_tree import walk
from hostseal.sensors.mounts import under

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # asyncore; from 3.12 on pyasyncore takes its place
    import pyinotify

ATTRIB: int = pyinotify.IN_ATTRIB
CLOSE_WRITE: int = pyinotify.IN_CLOSE_WRITE
CREATE: int = pyinotify.IN_CREATE
DELETE: int = pyinotify.IN_DELETE
IGNORED: int = pyinotify.IN_IGNORED
ISDIR: int = pyinotify.IN_ISDIR
MODIFY: int = pyinotify.IN_MODIFY
MOVED_FROM: int = pyinotify.IN_MOVED_FROM
MOVED_TO: int = pyinotify.IN_MOVED_TO
MOVE_SELF: int = pyinotify.IN_MOVE_SELF
Q_OVERFLOW: int = pyinotify.IN_Q_OVERFLOW
UNMOUNT: int = pyinotify.IN_UNMOUNT

TOLD_LIMIT = 20
_ENTRIES: int = CREATE | DELETE | MOVED_FROM | MOVED_TO | pyinotify.IN_ONLYDIR | pyinotify.IN_DONT_FOLLOW
_ALL: int = _ENTRIES | CLOSE_WRITE | MODIFY | ATTRIB | MOVE_SELF
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class Watches:
    """The watched directories of a scope, by watch number. `fileno` is good for poll(2).

    A watch is of a directory, whatever its names: one that is mounted at two watched places has two.
    """

    def __init__(self, scope: Scope, sink: FileSink) -> None:
        self._scope = scope
        self._sink = sink
        self._calls = _calls()
        self._manager: Any = pyinotify.WatchManager()
        self._manager._inotify_wrapper = self._calls  # noqa: SLF001 - its own encodes no surrogates
        self._paths: dict[int, tuple[bytes, ...]] = {}
        self._inside: dict[int, bytes | None] = {}
        self._unwatched: dict[bytes, str] = {}
        os.set_blocking(self.fileno(), False)

    def fileno(self) -> int:
        """Return the inotify descriptor."""
        return int(self._manager.get_fd())

    def paths(self, watch: int) -> tuple[bytes, ...]:
        """Return the paths of a watched directory, none of one that was given up."""
        return self._paths.get(watch, ())

    def inside(self, watch: int) -> bytes | None:
        """Return the path of a directory all of which is watched, if that is its only one."""
        try:
            return self._inside[watch]
        except KeyError:
            paths = self.paths(watch)
            only = len(paths) == 1 and self._scope.position(paths[0]) is Position.INSIDE
            found = self._inside[watch] = paths[0] if only else None
            return found

    def cover(self, top: bytes) -> list[bytes]:
        """Watch `top` and all below it that is watched; return what is there. A directory is listed after its watch."""
        found: list[bytes] = []
        unwatched: dict[bytes, str] = {}
        for path, is_directory in walk(top, self._scope, self._unread):
            if path != top:
                found.append(path)
            if is_directory and (refused := self._add(path)) is not None:
                unwatched[path] = refused
        if unwatched:
            self._tell(unwatched)
        return found

    def recover(self) -> None:
        """Cover everything again, as if for the first time: what was known of names may have become untrue."""
        before, self._paths = self._paths, {}
        self._inside.clear()
        self._unwatched.clear()
        self.cover(b"/")
        for watch in before.keys() - self._paths.keys():
            self._end(watch)

    def retry(self) -> None:
        """Try what could not be watched. What can be now has changed unseen: it is told of as lost once more."""
        tops, self._unwatched = self._unwatched, {}
        for top, cause in tops.items():
            self.cover(top)
            if top not in self._unwatched:
                self._sink.lost(cause, faithful(top), {"watched_again": True})

    def drop(self, top: bytes) -> None:
        """Give up the watches of `top` and below it: their paths are no longer true."""
        for watch, paths in list(self._paths.items()):
            kept = tuple(path for path in paths if not under(path, top))
            if not kept:
                self._end(watch)
            elif kept != paths:
                self._paths[watch] = kept
                self._inside.pop(watch, None)
        self._unwatched = {path: why for path, why in self._unwatched.items() if not under(path, top)}

    def gone(self, watch: int) -> None:
        """Forget a watch that the kernel has ended."""
        self._paths.pop(watch, None)
        self._inside.pop(watch, None)
        self._manager.watches.pop(watch, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._manager.close()

    def _end(self, watch: int) -> None:
        self._calls.inotify_rm_watch(self.fileno(), watch)
        self.gone(watch)

    def _add(self, path: bytes) -> str | None:
        """Watch one directory; return why that cannot be, None when it is watched or gone."""
        position = self._scope.position(path)
        mask = _ALL if position is Position.INSIDE else _ENTRIES
        try:
            (watch,) = self._manager.add_watch(os.fsdecode(path), mask, quiet=False).values()
        except pyinotify.WatchManagerError:
            number = self._calls.get_errno()
            if number in _GONE:
                return None
            return "watch_limit" if number == errno.ENOSPC else "directory_not_watched"
        known = self._paths.get(watch, ())
        if path not in known:
            self._inside.pop(watch, None)
            self._paths[watch] = (*(other for other in known if _same(other, path)), path)
        return None

    def _tell(self, unwatched: dict[bytes, str]) -> None:
        """Say what is not watched, from the top: what is below such a directory goes without saying."""
        tops = {path: why for path, why in unwatched.items() if os.path.dirname(path) not in unwatched}
        for count, (path, cause) in enumerate(tops.items()):
            scope = faithful(path) if count < TOLD_LIMIT else str(self._scope)
            detail = {"directory": faithful(path), "unwatched": len(unwatched)}
            self._sink.lost(cause, scope, detail)
            self._unwatched[path] = cause

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


def _same(one: bytes, other: bytes) -> bool:
    try:
        return os.path.samestat(os.lstat(one), os.lstat(other))
    except OSError:
        return False
