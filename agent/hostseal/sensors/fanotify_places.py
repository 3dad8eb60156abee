"""From the handles in fanotify's events to paths: the marked filesystems, and a cache of their directories."""

import errno
import os
from typing import NamedTuple

import msgspec

from hostseal.core.text import faithful
from hostseal.sensors import fanotify_abi as abi
from hostseal.sensors import mounts
from hostseal.sensors.file_scope import Position, Scope
from hostseal.sensors.mounts import Lost, Mount, under

CACHED_DIRECTORIES = 50_000
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_PATH = os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW
_DELETED = b" (deleted)"


class Place(NamedTuple):
    """A directory's (or file's) path as people name it, and where it stands in the scope.

    `deep`: what is meant is somewhere below `path`, so far that the kernel gives it no name (PATH_MAX).
    """

    path: bytes
    position: Position
    deep: bool = False


class _Filesystem(msgspec.Struct):
    """A marked filesystem, the mount its handles are resolved through, and where it is mounted.

    No descriptor is kept on it: one would keep people from unmounting it.
    """

    base: Mount
    mounts: tuple[Mount, ...] = ()

    def inner(self, resolved: bytes) -> bytes:
        """Return a path within the filesystem from one as this process sees it."""
        if not under(resolved, self.base.point):
            return resolved
        return (
            os.path.join(self.base.root, resolved[len(self.base.point) :].lstrip(b"/")).rstrip(b"/") or b"/"
        )


class Places:
    """Marks the filesystems that hold watched paths, and names what happens on them."""

    def __init__(self, group: int, scope: Scope, mask: int) -> None:
        self._group = group
        self._scope = scope
        self._mask = mask
        self._filesystems: dict[int, _Filesystem] = {}
        self._cache: dict[bytes, Place] = {}
        self._watched: frozenset[Mount] | None = None

    def refresh(self, current: tuple[Mount, ...], lost: Lost) -> None:
        """Mark what is new, and say where a mount has hidden or shown watched paths since the last time.

        Such a mount changes what is read at a path without any change being reported.
        """
        watched = frozenset(mounts.watched(current, self._scope))
        before, self._watched = self._watched, watched
        self._cache.clear()
        for mount in sorted(watched, key=lambda one: len(one.point)):
            if before is None or mount not in before:
                self._mark(mount, lost)
        if before is not None:
            mounts.tell(before, watched, lost)
        devices = {mount.device for mount in watched}
        self._filesystems = {i: f for i, f in self._filesystems.items() if f.base.device in devices}
        for filesystem in self._filesystems.values():
            filesystem.mounts = tuple(m for m in current if m.device == filesystem.base.device)

    def of(self, key: bytes) -> Place | None:
        """Return the place of the directory with this handle, None when it is gone."""
        place = self._cache.get(key)
        if place is None and (place := self.find(key)) is not None and not place.deep:
            self.learn(key, place)
        return place

    def known(self, key: bytes) -> Place | None:
        """Return the place of a directory if it is remembered."""
        return self._cache.get(key)

    def find(self, key: bytes) -> Place | None:
        """Return the place of a file or directory by its handle, None when it is gone or has no name left."""
        filesystem = self._filesystems.get(abi.filesystem_of(key))
        if filesystem is None:
            return None
        try:
            descriptor = _open_handle(filesystem.base, key)
        except OSError:
            return None
        try:
            resolved = os.readlink(b"/proc/self/fd/%d" % descriptor)
            if resolved.endswith(_DELETED) and os.fstat(descriptor).st_nlink == 0:
                return None
            return self._named(filesystem, resolved)
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                return None
            return self._named(filesystem, _nameable(descriptor))._replace(deep=True)
        finally:
            os.close(descriptor)

    def open(self, key: bytes) -> tuple[int, Place]:
        """Return a descriptor (O_PATH) and the place of a directory by its handle. Raises `OSError`."""
        filesystem = self._filesystems.get(abi.filesystem_of(key))
        if filesystem is None:
            raise FileNotFoundError(errno.ENOENT, "not on a watched filesystem")
        descriptor = _open_handle(filesystem.base, key)
        try:
            return descriptor, self._named(filesystem, os.readlink(b"/proc/self/fd/%d" % descriptor))
        except OSError:
            os.close(descriptor)
            raise

    def inode(self, key: bytes) -> tuple[int, int] | None:
        """Return inode and device of a file by its handle, None when it is gone."""
        filesystem = self._filesystems.get(abi.filesystem_of(key))
        try:
            descriptor = _open_handle(filesystem.base, key) if filesystem is not None else -1
        except OSError:
            return None
        if descriptor < 0:
            return None
        try:
            status = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        return status.st_ino, status.st_dev

    def below(self, parent: Place, name: bytes) -> Place:
        """Return the place of an entry of a directory; `.` is the directory itself."""
        if name in (b".", b"") or parent.deep:
            return parent
        path = parent.path + name if parent.path.endswith(b"/") else parent.path + b"/" + name
        return Place(
            path, parent.position if parent.position is not Position.ABOVE else self._scope.position(path)
        )

    def learn(self, key: bytes, place: Place) -> None:
        """Remember a directory."""
        if len(self._cache) >= CACHED_DIRECTORIES:
            self._cache.clear()
        self._cache[key] = place

    def forget(self, key: bytes | None = None) -> None:
        """Forget one directory, or all: one was renamed, and every path below it with it."""
        if key is None:
            self._cache.clear()
        else:
            self._cache.pop(key, None)

    def _mark(self, mount: Mount, lost: Lost) -> None:
        """Mark the filesystem of a mount; again, if it was known: it may have been away, and its mark with it."""
        try:
            descriptor, base = _open(mount)
        except OSError as error:
            lost("mount_not_seen", faithful(mount.point), {"error": error.strerror or ""})
            return
        try:
            abi.mark_filesystem(self._group, self._mask, b"/proc/self/fd/%d" % descriptor)
            self._filesystems[os.fstatvfs(descriptor).f_fsid] = _Filesystem(base)
        except OSError as error:
            detail = {"type": mount.type, "error": error.strerror or ""}
            lost("filesystem_not_watched", faithful(mount.point), detail)
        finally:
            os.close(descriptor)

    def _named(self, filesystem: _Filesystem, resolved: bytes) -> Place:
        inner, best = filesystem.inner(resolved), Place(resolved, Position.OUTSIDE)
        for mount in filesystem.mounts:
            if under(inner, mount.root):
                path = os.path.join(mount.point, inner[len(mount.root) :].lstrip(b"/")).rstrip(b"/") or b"/"
                position = self._scope.position(path)
                if position is Position.INSIDE:
                    return Place(path, position)
                if position is Position.ABOVE:
                    best = Place(path, position)
        return best


def _nameable(directory: int) -> bytes:
    """Return the nearest directory above one that has a name. Raises `OSError`."""
    above = os.open("..", _PATH, dir_fd=directory)
    try:
        return os.readlink(b"/proc/self/fd/%d" % above)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        return _nameable(above)
    finally:
        os.close(above)


def _open_handle(base: Mount, key: bytes) -> int:
    mount = os.open(base.point, _DIRECTORY)
    try:
        return abi.open_handle(mount, key, _PATH)
    finally:
        os.close(mount)


def _open(mount: Mount) -> tuple[int, Mount]:
    """Open a directory of the mount's filesystem, the whole of it where this process sees that."""
    seen = mounts.own()
    whole = [m for m in reversed(seen) if m.device == mount.device and m.root == b"/"]
    for candidate in [mount, *whole]:
        descriptor = os.open(candidate.point, _DIRECTORY)
        number = mounts.mount_number(descriptor)
        base = next((m for m in seen if m.number == number), candidate)
        if base.device == mount.device and (base.root == b"/" or candidate is not mount or not whole):
            return descriptor, base
        os.close(descriptor)
    raise FileNotFoundError(2, "hidden from this process")
