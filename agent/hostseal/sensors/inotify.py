"""The file sensor that works everywhere: inotify(7) through pyinotify. It cannot name writers."""

import os
import select
import struct
import threading
import time
from typing import NamedTuple

from hostseal.core.change_set import What
from hostseal.core.text import faithful
from hostseal.errors import SensorDiedError
from hostseal.ports import FileSink, RawChange
from hostseal.sensors import mounts
from hostseal.sensors.file_counts import CountingSink
from hostseal.sensors.file_pace import Pace
from hostseal.sensors.file_scope import Position, Scope
from hostseal.sensors.file_unclosed import Unclosed
from hostseal.sensors.inotify_watches import (
    ATTRIB,
    CLOSE_WRITE,
    CREATE,
    DELETE,
    IGNORED,
    ISDIR,
    MODIFY,
    MOVE_SELF,
    MOVED_FROM,
    MOVED_TO,
    Q_OVERFLOW,
    UNMOUNT,
    Watches,
)
from hostseal.sensors.mounts import MountTable

WAIT_MS = 1_000
RETRY_SECONDS = 60.0
BUFFER_BYTES = 1 << 18
_HEADER = struct.Struct("=iIII")
_BITS = (
    (CREATE, What.CREATED.value),
    (CLOSE_WRITE, What.MODIFIED.value),
    (MOVED_FROM | MOVED_TO, What.RENAMED.value),
    (ATTRIB, What.ATTRIBUTES.value),
    (DELETE, What.DELETED.value),
)
_MOVED = MOVED_FROM | MOVED_TO
_PLAIN = frozenset((CREATE, MODIFY, CLOSE_WRITE, ATTRIB, DELETE))
_WHAT = dict(_BITS)
"""One event has one kind, unlike fanotify's."""


class Event(NamedTuple):
    """One event as the kernel wrote it; `cookie` ties the two halves of a rename."""

    watch: int
    mask: int
    cookie: int
    name: bytes


class InotifySensor:
    """Watches each directory of the watched trees, and those above them where a watched one may come to be.

    pyinotify adds and ends the watches. Reading and following directories is done here, for its own way
    dies of a name that is not UTF-8, misses what is in new directories and keeps stale paths (all measured).
    """

    name = "inotify"

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._counts: dict[str, int] = {}

    def run(self, sink: FileSink, stop: threading.Event) -> None:
        """Watch until `stop` is set. Raises `SensorDiedError` when the kernel gives no instance or it breaks."""
        counting = CountingSink(sink)
        try:
            with Watches(self._scope, counting) as watches, MountTable() as table:
                self._watch(_Reader(self._scope, watches, counting), watches, table, counting, stop)
        except OSError as error:
            raise SensorDiedError(f"inotify: {error}", hint="see fs.inotify in sysctl") from error

    def counts(self) -> dict[str, int]:
        """Return what became of the kernel's records; see :class:`hostseal.ports.FileSensor`."""
        return self._counts

    def _watch(
        self,
        reader: "_Reader",
        watches: Watches,
        table: MountTable,
        sink: CountingSink,
        stop: threading.Event,
    ) -> None:
        watched = mounts.watched(table.read(), self._scope)
        watches.cover(b"/")
        poll, pace, retry_at = select.poll(), Pace(), time.monotonic() + RETRY_SECONDS
        poll.register(watches, select.POLLIN)
        poll.register(table, select.POLLPRI | select.POLLERR)
        while not stop.is_set():
            ready = [descriptor for descriptor, _ in poll.poll(WAIT_MS)]
            if table.fileno() in ready:
                before, watched = watched, mounts.watched(table.read(), self._scope)
                mounts.tell(before, watched, sink.lost)
                for mount in set(before) ^ set(watched):
                    watches.cover(mount.point)
            buffer = os.read(watches.fileno(), BUFFER_BYTES) if watches.fileno() in ready else b""
            now = time.monotonic()
            found = events(buffer)
            sink.changed_many(reader.take(found, now))
            self._counts = {**reader.counts, "handed_on": sink.handed_on, "lost": sink.losses}
            if now >= retry_at:
                retry_at = now + RETRY_SECONDS
                watches.retry()
            if pause := pace.pause(len(found), now, more=len(buffer) > BUFFER_BYTES // 2):
                stop.wait(pause)


class _Reader:
    """Turns events into changes, and keeps the watches where the directories are."""

    def __init__(self, scope: Scope, watches: Watches, sink: FileSink) -> None:
        self._scope, self._watches, self._sink = scope, watches, sink
        self._unclosed: Unclosed[RawChange] = Unclosed()
        self._told: list[RawChange] = []
        self._at = 0.0
        self.counts = dict.fromkeys(
            ("read", "outside", "own", "matched", "waiting", "unplaced", "overflows"), 0
        )

    def take(self, batch: list[Event], at: float) -> list[RawChange]:
        """Return what one batch of events changed of the watched paths, and what has been open for too long."""
        self._told, self._at = [], at
        halves = _halves(batch)
        for event in batch:
            if event.mask & Q_OVERFLOW:
                self.counts["overflows"] += 1
                self._sink.lost("queue_overflow", str(self._scope), {})
                self._watches.recover()
                continue
            if event.mask in _PLAIN and event.name and (directory := self._watches.inside(event.watch)):
                self._file(event.mask, directory + b"/" + event.name)
                continue
            before = len(self._told)
            held = self._event(event, halves)
            self.counts["read"] += 1
            self.counts["matched" if held or len(self._told) > before else "outside"] += 1
        return self._told + self._unclosed.due(at)

    def _file(self, mask: int, path: bytes) -> None:
        """What `_event` does for a file in a directory that is watched: nearly all there is, in a burst."""
        held = not self._scope.excludes(path)
        self.counts["read"] += 1
        self.counts["matched" if held else "outside"] += 1
        if held and mask == MODIFY:
            self._unclosed.add(RawChange(path=path, what=What.MODIFIED.value, at=self._at))
        elif held:
            if mask == CLOSE_WRITE:
                self._unclosed.closed(path)
            self._told.append(RawChange(path=path, what=_WHAT[mask], at=self._at))

    def _event(self, event: Event, halves: dict[tuple[int, int], Event]) -> bool:
        """Take one event; return whether it is of a watched path and kept for later."""
        mask, held = event.mask, False
        for directory in self._watches.paths(event.watch):
            if mask & UNMOUNT:
                self._sink.lost("unmounted", faithful(directory), {})
            elif mask & MOVE_SELF:
                self._sink.lost("directory_moved", faithful(directory), {})
                self._watches.drop(directory)
            elif event.name or mask & ATTRIB:
                held |= self._entry(event, directory, halves)
        if mask & IGNORED:
            self._watches.gone(event.watch)
        return held

    def _entry(self, event: Event, directory: bytes, halves: dict[tuple[int, int], Event]) -> bool:
        mask, name = event.mask, event.name
        if mask & ATTRIB and mask & ISDIR and name and self._scope.position(directory) is Position.INSIDE:
            return False  # the directory's own watch says it too
        path = os.path.join(directory, name) if name else directory
        held = self._changed(mask, path, self._other(event, halves) if mask & _MOVED else None)
        if mask & ISDIR:
            self._directory(mask, path)
        return held

    def _changed(self, mask: int, path: bytes, other: bytes | None = None) -> bool:
        if not self._scope.holds(path):
            return False
        if mask & MODIFY:
            self._unclosed.add(RawChange(path=path, what=What.MODIFIED.value, at=self._at))
            return True
        if mask & CLOSE_WRITE:
            self._unclosed.closed(path)
        self._told += [
            RawChange(path=path, what=what, other=other, at=self._at) for bit, what in _BITS if mask & bit
        ]
        return False

    def _other(self, event: Event, halves: dict[tuple[int, int], Event]) -> bytes | None:
        """Return the other name of a rename, if that is in a watched directory and was read with it."""
        half = halves.get((event.cookie, event.mask & _MOVED ^ _MOVED))
        known = self._watches.paths(half.watch) if half is not None else ()
        return os.path.join(known[0], half.name) if half is not None and known else None

    def _directory(self, mask: int, path: bytes) -> None:
        """Follow the directories; what is already in a new one is reported, for nothing else will tell of it."""
        if mask & MOVED_FROM:
            self._watches.drop(path)
            if self._scope.position(path) is Position.ABOVE:
                self._sink.lost("directory_moved", faithful(path), {})
        elif mask & (CREATE | MOVED_TO) and self._scope.position(path) is not Position.OUTSIDE:
            for found in self._watches.cover(path):
                self._changed(mask & (CREATE | MOVED_TO), found)


def events(buffer: bytes) -> list[Event]:
    """Take apart what one read(2) returned: whole events, as inotify(7) has them."""
    found, at = [], 0
    while at < len(buffer):
        watch, mask, cookie, size = _HEADER.unpack_from(buffer, at)
        at += _HEADER.size
        found.append(Event(watch, mask, cookie, buffer[at : at + size].rstrip(b"\0")))
        at += size
    return found


def _halves(batch: list[Event]) -> dict[tuple[int, int], Event]:
    return {(event.cookie, event.mask & _MOVED): event for event in batch if event.cookie}
