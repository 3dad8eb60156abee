"""The file sensor that knows the writer: fanotify(7) on whole filesystems."""

import errno
import os
import select
import threading
import time
from collections.abc import Iterator

from hostseal.core.attribution import ProcessFacts, TracedChange
from hostseal.core.change_set import What
from hostseal.core.text import faithful
from hostseal.errors import SensorDiedError
from hostseal.ports import FileSink
from hostseal.sensors import fanotify_abi as abi
from hostseal.sensors.fanotify_abi import Record
from hostseal.sensors.fanotify_links import Links
from hostseal.sensors.fanotify_orphans import Orphans
from hostseal.sensors.fanotify_places import Place, Places
from hostseal.sensors.file_scope import Position, Scope
from hostseal.sensors.file_tree import names_of, walk
from hostseal.sensors.file_writer import Writers
from hostseal.sensors.mounts import MountTable

FLAGS = (
    abi.REPORT_DFID_NAME | abi.REPORT_PIDFD | abi.REPORT_FID | abi.REPORT_TARGET_FID,  # from Linux 5.17
    abi.REPORT_DFID_NAME | abi.REPORT_PIDFD,
    abi.REPORT_DFID_NAME,
)
MASK = abi.CHANGES | abi.OPEN_EXEC
BATCH_BYTES = 32_768
"""At most some 350 records, each with a pidfd of its own: within the usual limit of 1,024 descriptors."""

WAIT_MS = 1_000
MOVED_IN_LIMIT = 20_000
_WHAT = (
    (abi.CREATE, What.CREATED.value),
    (abi.CLOSE_WRITE, What.MODIFIED.value),
    (abi.MOVED_FROM | abi.MOVED_TO, What.RENAMED.value),
    (abi.ATTRIB, What.ATTRIBUTES.value),
    (abi.DELETE, What.DELETED.value),
)


class FanotifySensor:
    """Watches every filesystem that holds a watched path; reads /proc in the thread that reads the events."""

    name = "fanotify"

    def __init__(self, scope: Scope, *, writers: Writers | None = None) -> None:
        self._scope = scope
        self._writers = writers or Writers()
        self._orphans = Orphans()
        self._links = Links()
        self._own_pid = os.getpid()

    def run(self, sink: FileSink, stop: threading.Event) -> None:
        """Watch until `stop` is set. Raises `SensorDiedError` when the kernel refuses or the descriptor breaks."""
        try:
            group = open_group()
        except OSError as error:
            raise SensorDiedError(
                f"fanotify_init: {error.strerror}", hint="it needs CAP_SYS_ADMIN"
            ) from error
        places = Places(group, self._scope, MASK)
        try:
            with MountTable() as table:
                places.refresh(table.read(), sink.lost)
                self._watch(group, table, places, sink, stop)
        except (OSError, abi.AbiError) as error:
            raise SensorDiedError(f"fanotify: {error}") from error
        finally:
            os.close(group)

    def _watch(
        self, group: int, table: MountTable, places: Places, sink: FileSink, stop: threading.Event
    ) -> None:
        poll = select.poll()
        poll.register(group, select.POLLIN)
        poll.register(table, select.POLLPRI | select.POLLERR)
        while not stop.is_set():
            ready = [descriptor for descriptor, _ in poll.poll(WAIT_MS)]
            if table.fileno() in ready:
                places.refresh(table.read(), sink.lost)
            if group in ready:
                self._take(read_batch(group), places, sink)

    def _take(self, batch: list[Record], places: Places, sink: FileSink) -> None:
        self._writers.next_batch()
        at = time.monotonic()
        try:
            for record in batch:
                if record.mask & abi.Q_OVERFLOW:
                    self._orphans.clear()
                    sink.lost("queue_overflow", str(self._scope), {})
                elif record.pid != self._own_pid:
                    self._record(record, places, sink, at)
        finally:
            for record in batch:
                if record.pidfd >= 0:
                    os.close(record.pidfd)

    def _record(self, record: Record, places: Places, sink: FileSink, at: float) -> None:
        mask = record.mask
        if record.target and not mask & abi.ONDIR:
            self._links.see(record)
        place = self._place(record, places, sink, at)
        if place is None:
            return
        if mask & abi.OPEN_EXEC and not _is_loader(record.name):
            self._writers.executed(record.pid, record.pidfd, faithful(place.path))
        if mask & abi.CHANGES & ~abi.ONDIR:
            self._changed(mask, place, self._facts(record, place), sink, at)
            if mask & abi.ONDIR:
                self._directory(record, place, places, sink, at)

    def _place(self, record: Record, places: Places, sink: FileSink, at: float) -> Place | None:
        """Return where it happened, None when that is of no concern or not known yet."""
        if not record.directory:
            # A link count, and then the name that came or went has a record of its own; or a file without a name.
            return places.find(record.target) if record.mask & abi.CLOSE_WRITE else None
        parent = places.of(record.directory)
        if parent is None:
            if self._orphans.add(record, self._writers.facts(record.pid, record.pidfd)):
                sink.lost("unresolved_directory", str(self._scope), {})
            return None
        if parent.position is Position.OUTSIDE and not record.mask & (abi.OPEN_EXEC | abi.ONDIR):
            if self._links.concerned(record):
                self._by_link(record, places, sink, at)
            return None
        return places.below(parent, record.name)

    def _facts(self, record: Record, place: Place) -> ProcessFacts | None:
        if place.position is not Position.INSIDE:
            return None
        return self._writers.facts(record.pid, record.pidfd)

    def _changed(
        self, mask: int, place: Place, process: ProcessFacts | None, sink: FileSink, at: float
    ) -> None:
        if place.position is not Position.INSIDE or self._scope.excludes(place.path):
            return
        pid = process.pid if process else None
        for bit, what in _WHAT:
            if mask & bit:
                sink.changed(TracedChange(path=place.path, what=what, pid=pid, at=at, process=process))

    def _by_link(self, record: Record, places: Places, sink: FileSink, at: float) -> None:
        """Report a change made under an unwatched name of a watched file."""
        names = self._links.known(record.target)
        if names is None:
            inode = places.inode(record.target)
            if inode is None:
                return
            if not self._links.may_search(at):
                sink.lost("hard_link_not_searched", str(self._scope), {})
                return
            names = tuple(names_of(*inode, self._scope))
            self._links.learn(record.target, names)
        for name in names:
            place = Place(name, Position.INSIDE)
            self._changed(
                record.mask & (abi.CLOSE_WRITE | abi.ATTRIB), place, self._facts(record, place), sink, at
            )

    def _directory(self, record: Record, place: Place, places: Places, sink: FileSink, at: float) -> None:
        """Keep the directories' names right, and look into one that was moved in."""
        if record.mask & (abi.MOVED_FROM | abi.MOVED_TO):
            places.forget()
            if record.mask & abi.MOVED_TO and place.position is not Position.OUTSIDE:
                self._moved_in(record, place, sink, at)
        elif record.mask & abi.DELETE:
            places.forget(record.target)
            for orphan, path, facts in self._orphans.below(record.target, place.path):
                self._changed(orphan.mask, Place(path, self._scope.position(path)), facts, sink, at)
        elif record.mask & abi.CREATE and record.target:
            places.learn(record.target, place)

    def _moved_in(self, record: Record, place: Place, sink: FileSink, at: float) -> None:
        facts = self._writers.facts(record.pid, record.pidfd)
        inside = self._found(place.path, sink)
        for count, path in enumerate(inside):
            if count >= MOVED_IN_LIMIT:
                sink.lost("moved_in_too_large", faithful(place.path), {"limit": MOVED_IN_LIMIT})
                return
            self._changed(abi.MOVED_TO, Place(path, self._scope.position(path)), facts, sink, at)

    def _found(self, top: bytes, sink: FileSink) -> Iterator[bytes]:
        def unread(path: bytes, error: OSError) -> None:
            sink.lost("directory_not_read", faithful(path), {"error": error.strerror or ""})

        return (path for path, _ in walk(top, self._scope, unread) if path != top)


def open_group() -> int:
    """Return a notification group with all this kernel can report. Raises `OSError`."""
    refused: OSError | None = None
    for flags in FLAGS:
        try:
            return abi.init(abi.CLOEXEC | abi.NONBLOCK | flags)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            refused = error
    raise refused or OSError(errno.EINVAL, "fanotify")


def read_batch(group: int) -> list[Record]:
    """Return what is waiting, at most one buffer of it."""
    try:
        return list(abi.records(os.read(group, BATCH_BYTES)))
    except BlockingIOError:
        return []


def _is_loader(name: bytes) -> bool:
    """The kernel opens the dynamic loader for execution too, after the program."""
    return name.startswith(b"ld-") or b".so" in name
