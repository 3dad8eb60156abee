"""The file sensor that works everywhere: inotify(7) through pyinotify. It cannot name writers."""

import os
import select
import struct
import threading
import time

from hostseal.core.change_set import What
from hostseal.core.text import faithful
from hostseal.errors import SensorDiedError
from hostseal.ports import FileSink, RawChange
from hostseal.sensors import mounts
from hostseal.sensors.file_scope import Position, Scope
from hostseal.sensors.inotify_watches import (
    ATTRIB,
    CLOSE_WRITE,
    CREATE,
    DELETE,
    IGNORED,
    ISDIR,
    MOVE_SELF,
    MOVED_FROM,
    MOVED_TO,
    Q_OVERFLOW,
    UNMOUNT,
    Watches,
)
from hostseal.sensors.mounts import MountTable

WAIT_MS = 1_000
BUFFER_BYTES = 1 << 18
_HEADER = struct.Struct("=iIII")
_WHAT = (
    (CREATE, What.CREATED.value),
    (CLOSE_WRITE, What.MODIFIED.value),
    (MOVED_FROM | MOVED_TO, What.RENAMED.value),
    (ATTRIB, What.ATTRIBUTES.value),
    (DELETE, What.DELETED.value),
)


class InotifySensor:
    """Watches each directory of the watched trees, and those above them where a watched one may come to be.

    pyinotify keeps the table of watches. Reading and following directories is done here, for its own way
    dies of a name that is not UTF-8, misses what is in new directories and keeps stale paths (all measured).
    """

    name = "inotify"

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def run(self, sink: FileSink, stop: threading.Event) -> None:
        """Watch until `stop` is set. Raises `SensorDiedError` when the kernel gives no instance or it breaks."""
        try:
            with Watches(self._scope, sink) as watches, MountTable() as table:
                watched = mounts.watched(table.read(), self._scope)
                watches.cover(b"/")
                self._watch(watches, table, watched, sink, stop)
        except OSError as error:
            raise SensorDiedError(f"inotify: {error}", hint="see fs.inotify in sysctl") from error

    def _watch(
        self,
        watches: Watches,
        table: MountTable,
        watched: tuple[mounts.Mount, ...],
        sink: FileSink,
        stop: threading.Event,
    ) -> None:
        poll = select.poll()
        poll.register(watches, select.POLLIN)
        poll.register(table, select.POLLPRI | select.POLLERR)
        while not stop.is_set():
            ready = [descriptor for descriptor, _ in poll.poll(WAIT_MS)]
            if table.fileno() in ready:
                before, watched = watched, mounts.watched(table.read(), self._scope)
                for mount in set(before) ^ set(watched):
                    sink.lost("mounts_changed", faithful(mount.point), {"mounted": mount in watched})
                    watches.cover(mount.point)
            if watches.fileno() in ready:
                self._take(os.read(watches.fileno(), BUFFER_BYTES), watches, sink)

    def _take(self, buffer: bytes, watches: Watches, sink: FileSink) -> None:
        at, now = 0, time.monotonic()
        while at < len(buffer):
            watch, mask, _, size = _HEADER.unpack_from(buffer, at)
            name = buffer[at + _HEADER.size : at + _HEADER.size + size].rstrip(b"\0")
            at += _HEADER.size + size
            if mask & Q_OVERFLOW:
                sink.lost("queue_overflow", str(self._scope), {})
                watches.cover(b"/")
            else:
                self._event(watch, mask, name, watches, sink, now)

    def _event(
        self, watch: int, mask: int, name: bytes, watches: Watches, sink: FileSink, now: float
    ) -> None:
        directory = watches.path(watch)
        if directory is None:
            return
        if mask & IGNORED:
            watches.gone(watch)
        elif mask & UNMOUNT:
            sink.lost("unmounted", faithful(directory), {})
        elif mask & MOVE_SELF:
            sink.lost("directory_moved", faithful(directory), {})
            watches.drop(directory)
        elif name or mask & ATTRIB:
            if mask & ATTRIB and mask & ISDIR and name and self._scope.position(directory) is Position.INSIDE:
                return  # the directory's own watch says it too
            path = os.path.join(directory, name) if name else directory
            self._changed(mask, path, sink, now)
            if mask & ISDIR:
                self._directory(mask, path, watches, sink, now)

    def _changed(self, mask: int, path: bytes, sink: FileSink, now: float) -> None:
        if self._scope.holds(path):
            for bit, what in _WHAT:
                if mask & bit:
                    sink.changed(RawChange(path=path, what=what, at=now))

    def _directory(self, mask: int, path: bytes, watches: Watches, sink: FileSink, now: float) -> None:
        """Follow the directories; what is already in a new one is reported, for nothing else will tell of it."""
        if mask & MOVED_FROM:
            watches.drop(path)
        elif mask & (CREATE | MOVED_TO) and self._scope.position(path) is not Position.OUTSIDE:
            for found in watches.cover(path):
                self._changed(mask & (CREATE | MOVED_TO), found, sink, now)
