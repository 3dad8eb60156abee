"""From the kernel's records to changes of watched paths: places, renames, hard links, directories."""

import os
from collections.abc import Iterator
from enum import IntEnum

from hostseal.core.attribution import ProcessFacts, TracedChange
from hostseal.core.change_set import What
from hostseal.core.text import faithful
from hostseal.ports import FileSink
from hostseal.sensors import fanotify_abi as abi
from hostseal.sensors.fanotify_abi import Record
from hostseal.sensors.fanotify_link_search import LinkSearch
from hostseal.sensors.fanotify_links import Links
from hostseal.sensors.fanotify_noise import Noise
from hostseal.sensors.fanotify_orphans import Orphans
from hostseal.sensors.fanotify_places import Place, Places
from hostseal.sensors.file_scope import Position, Scope
from hostseal.sensors.file_tree import names_of, walk
from hostseal.sensors.file_unclosed import Unclosed
from hostseal.sensors.file_writer import Writers

MOVED_IN_LIMIT = 20_000
_BITS = (
    (abi.CREATE, What.CREATED.value),
    (abi.CONTENT, What.MODIFIED.value),
    (abi.MOVED | abi.RENAME, What.RENAMED.value),
    (abi.ATTRIB, What.ATTRIBUTES.value),
    (abi.DELETE, What.DELETED.value),
)
_OF_FILE = abi.CONTENT | abi.ATTRIB
_RARE = abi.ONDIR | abi.OPEN_EXEC | abi.RENAME | abi.MOVED | abi.Q_OVERFLOW
_PLACELESS = (b".", b"")


class Fate(IntEnum):
    """What became of a record: each has exactly one."""

    OUTSIDE = 0
    OWN = 1
    MATCHED = 2
    WAITING = 3
    UNPLACED = 4


class Changes:
    """Knows which records of fanotify(7) are changes of what; loses none without saying so."""

    def __init__(
        self,
        scope: Scope,
        writers: Writers,
        places: Places,
        noise: Noise,
        sink: FileSink,
        *,
        removed_are_known: bool = True,
    ) -> None:
        """`removed_are_known`: the record of a removed directory has its handle too (from Linux 5.17)."""
        self._scope, self._writers, self._places, self._noise = scope, writers, places, noise
        self._sink = sink
        self._removed_are_known = removed_are_known
        self._search = LinkSearch(scope)
        self._orphans = Orphans()
        self._links = Links()
        self._unclosed: Unclosed[TracedChange] = Unclosed()
        self._own_pid = os.getpid()
        self._whats: dict[int, tuple[str, ...]] = {}
        self._told: list[TracedChange] = []
        self._at = 0.0
        self._read = self._overflows = 0
        self._fates = dict.fromkeys(Fate, 0)

    def take(self, batch: list[Record], at: float) -> list[TracedChange]:
        """Return what one batch of records, all read at `at`, changed of the watched paths."""
        self._told, self._at = [], at
        self._writers.next_batch()
        for target in self._search.found():
            self._links.add(target)
        fates, overflows = self._fates, 0
        for record in batch:
            mask = record.mask
            if record.pid == self._own_pid:
                fates[self._own(record)] += 1
            elif not record.directory and mask == abi.ATTRIB:  # a link count, as with each removal
                self._links.counted(record.target)
                fates[Fate.OUTSIDE] += 1
            elif not mask & _RARE and record.directory:
                fates[self._file(record)] += 1
            elif mask & abi.Q_OVERFLOW:
                self._overflow()
                overflows += 1
            else:
                fates[self._one(record)] += 1
        self._read += len(batch) - overflows
        self._overflows += overflows
        return self._told

    def settled(self, at: float) -> list[TracedChange]:
        """Return the files that were written to some time ago and are still held open, or were cut by their name."""
        return self._unclosed.due(at)

    def begin(self) -> None:
        """Look for the files that have several names already."""
        self._search.start()

    def end(self) -> None:
        """Stop looking."""
        self._search.stop()

    def mounted(self) -> None:
        """Forget the names that what is mounted has a part in."""
        self._links.forget_names()

    def counts(self) -> dict[str, int]:
        """Return how many records became of what: `read` is the sum of all but `overflows`."""
        return {
            "read": self._read,
            "outside": self._fates[Fate.OUTSIDE],
            "own": self._fates[Fate.OWN],
            "matched": self._fates[Fate.MATCHED],
            "waiting": self._orphans.waiting,
            "unplaced": self._fates[Fate.UNPLACED],
            "overflows": self._overflows,
        }

    def _overflow(self) -> None:
        """Renames, links and removals may be among what is lost: no name that was kept can be trusted."""
        self._fates[Fate.UNPLACED] += self._orphans.clear()
        self._places.forget()
        self._links.forget_names()
        self._noise.heed()
        self._search.start()
        self._sink.lost("queue_overflow", str(self._scope), {})

    def _own(self, record: Record) -> Fate:
        if record.mask & abi.ONDIR and record.mask & (abi.MOVED | abi.RENAME | abi.DELETE):
            self._places.forget()
        return Fate.OWN

    def _file(self, record: Record) -> Fate:
        """What `_one` does for a file in a directory that is watched and known: nearly all there is, in a burst."""
        parent = self._places.known(record.directory)
        if parent is None or parent.position is not Position.INSIDE or parent.path == b"/":
            return self._one(record)
        if record.name in _PLACELESS or self._links.knows(record.target):
            return self._one(record)
        path = parent.path + b"/" + record.name
        if self._scope.excludes(path):
            return Fate.OUTSIDE
        self._tell(record.mask, path, self._writers.facts(record.pid, record.pidfd))
        return Fate.MATCHED

    def _one(self, record: Record) -> Fate:
        if record.target and not record.mask & abi.ONDIR and self._links.see(record) and self._noise:
            return self._linked(record)
        return self._plain(record)

    def _linked(self, record: Record) -> Fate:
        """A file has got one more name: no directory with a name of it may be ignored, and which have is not known."""
        hidden = self._noise.ignores(record.directory)
        self._noise.heed()
        fate = self._plain(record)
        return max(fate, self._by_inode(record)) if hidden else fate

    def _plain(self, record: Record) -> Fate:
        mask = record.mask
        if not record.directory:
            return self._nameless(record)
        parent = self._places.of(record.directory)
        if parent is None or mask & abi.RENAME:
            return self._renamed(record, parent) if mask & abi.RENAME else self._wait(record)
        if parent.position is Position.OUTSIDE and not mask & (abi.OPEN_EXEC | abi.ONDIR):
            return self._outside(record)
        place = self._places.below(parent, record.name)
        if mask & abi.OPEN_EXEC and not _is_loader(record.name):
            self._writers.executed(record.pid, record.pidfd, faithful(place.path))
        if not mask & abi.CHANGES & ~abi.ONDIR:
            return Fate.OUTSIDE
        fate = self._changed(mask, place, record)
        if mask & abi.ONDIR:
            self._directory(record, place)
        elif mask & _OF_FILE and self._links.concerned(record):
            return max(fate, self._by_link(record, place.path))
        return fate

    def _nameless(self, record: Record) -> Fate:
        """A link count, and then the name that came or went has a record of its own; or a file opened by its handle."""
        if not record.mask & abi.CONTENT:
            return Fate.OUTSIDE
        place = self._places.find(record.target)
        if place is not None and place.position is Position.INSIDE:
            return self._changed(record.mask, place, record)
        return self._by_inode(record)

    def _outside(self, record: Record) -> Fate:
        if self._links.concerned(record):
            return self._by_link(record)
        self._noise.heard(record.directory, self._at)
        return Fate.OUTSIDE

    def _renamed(self, record: Record, parent: Place | None) -> Fate:
        """A rename in one record: each of the two names, if it is watched, and the other with it."""
        old = self._below(parent, record.name)
        new = self._below(self._places.of(record.to_directory), record.to_name)
        for place, directory, name, bit in (
            (old, record.directory, record.name, abi.MOVED_FROM),
            (new, record.to_directory, record.to_name, abi.MOVED_TO),
        ):
            if place is None:
                half = record._replace(
                    mask=record.mask & abi.ONDIR | bit,
                    directory=directory,
                    name=name,
                    to_directory=b"",
                    to_name=b"",
                )
                self._wait(half, counted=True)
        fate = Fate.OUTSIDE
        if old is not None:
            fate = self._changed(abi.MOVED_FROM, old, record, new and new.path)
        if new is not None:
            fate = max(fate, self._changed(abi.MOVED_TO, new, record, old and old.path))
        if record.mask & abi.ONDIR:
            self._moved_directory(record, new)
            self._moved_away(old)
        elif self._links.is_linked(record.target):
            self._links.forget_names(record.target)
            hidden = self._noise.ignores(record.to_directory)
            self._noise.heed()
            if hidden:
                fate = max(fate, self._by_inode(record))
        return fate

    def _below(self, parent: Place | None, name: bytes) -> Place | None:
        return None if parent is None else self._places.below(parent, name)

    def _wait(self, record: Record, *, counted: bool = False) -> Fate:
        if not self._removed_are_known:
            return Fate.UNPLACED  # of the removal of the directory, or of one above it, there is a record
        facts = self._writers.facts(record.pid, record.pidfd)
        dropped = self._orphans.add(record, facts, counted=counted)
        if dropped is not None:
            self._fates[Fate.UNPLACED] += dropped
            self._sink.lost("unresolved_directory", str(self._scope), {})
        named = self._orphans.named(record.directory)
        if named is not None:
            self._name_orphans(record.directory, named)
        return Fate.WAITING

    def _changed(self, mask: int, place: Place, record: Record, other: bytes | None = None) -> Fate:
        if place.position is not Position.INSIDE or self._scope.excludes(place.path):
            return Fate.OUTSIDE
        if place.deep:
            self._sink.lost("path_too_long", faithful(place.path), {})
            return Fate.MATCHED
        self._tell(mask, place.path, self._writers.facts(record.pid, record.pidfd), other)
        return Fate.MATCHED

    def _tell(self, mask: int, path: bytes, process: ProcessFacts | None, other: bytes | None = None) -> None:
        pid, at = process.pid if process else None, self._at
        content = mask & abi.CONTENT
        if content == abi.MODIFY:
            self._unclosed.add(
                TracedChange(path=path, what=What.MODIFIED.value, pid=pid, at=at, process=process)
            )
            mask &= ~abi.MODIFY
        elif content and self._unclosed:
            self._unclosed.closed(path)
        whats = self._whats.get(mask)
        if whats is None:
            whats = self._whats[mask] = tuple(what for bit, what in _BITS if mask & bit)
        self._told += [
            TracedChange(path=path, what=what, other=other, pid=pid, at=at, process=process) for what in whats
        ]

    def _by_inode(self, record: Record) -> Fate:
        """Report a file that can be written by a name, or a handle, that is not watched."""
        self._links.add(record.target)
        return self._by_link(record._replace(mask=abi.ATTRIB | record.mask & abi.CONTENT))

    def _by_link(self, record: Record, told: bytes = b"") -> Fate:
        """Report a change made under one name of a file for the other, watched ones."""
        names = self._links.known(record.target)
        if names is None:
            inode = self._places.inode(record.target)
            if inode is None:
                return Fate.OUTSIDE
            if not self._links.may_search(self._at):
                self._sink.lost("hard_link_not_searched", str(self._scope), {})
                return Fate.OUTSIDE
            names = tuple(names_of(*inode, self._scope))
            self._links.learn(record.target, names)
        fate = Fate.OUTSIDE
        for name in names:
            if name != told:
                fate = self._changed(record.mask & _OF_FILE, Place(name, Position.INSIDE), record)
        return fate

    def _directory(self, record: Record, place: Place) -> None:
        """Keep the directories' names right, and look into one that was moved in."""
        if record.mask & abi.MOVED:
            self._moved_directory(record, place if record.mask & abi.MOVED_TO else None)
            self._moved_away(place if record.mask & abi.MOVED_FROM else None)
        elif record.mask & abi.DELETE:
            self._places.forget(record.target)
            self._name_orphans(record.target, place.path)
            if not record.target:
                self._moved_away(place)
        elif record.mask & abi.CREATE and record.target:
            self._places.learn(record.target, place)

    def _moved_directory(self, record: Record, new: Place | None) -> None:
        """Forget what was known by the old name; what has come under a watched one is reported, all of it."""
        self._places.forget()
        self._links.forget_names()
        if new is not None and new.position is not Position.OUTSIDE:
            self._noise.heed()
            facts = self._writers.facts(record.pid, record.pidfd)
            for count, path in enumerate(self._found(new.path)):
                if count >= MOVED_IN_LIMIT:
                    self._sink.lost("moved_in_too_large", faithful(new.path), {"limit": MOVED_IN_LIMIT})
                    return
                if self._scope.holds(path):
                    self._tell(abi.MOVED_TO, path, facts)

    def _moved_away(self, old: Place | None) -> None:
        """Say where watched paths may have been that are elsewhere now; of a watched directory its own rename tells."""
        if old is not None and old.position is Position.ABOVE:
            self._sink.lost("directory_moved", faithful(old.path), {})

    def _name_orphans(self, directory: bytes, path: bytes) -> None:
        for orphan, there, facts, counted in self._orphans.below(directory, path):
            held = self._scope.holds(there)
            if held:
                self._tell(orphan.mask, there, facts)
            if not counted:
                self._fates[Fate.MATCHED if held else Fate.OUTSIDE] += 1

    def _found(self, top: bytes) -> Iterator[bytes]:
        def unread(path: bytes, error: OSError) -> None:
            self._sink.lost("directory_not_read", faithful(path), {"error": error.strerror or ""})

        return (path for path, _ in walk(top, self._scope, unread) if path != top)


def _is_loader(name: bytes) -> bool:
    """The kernel opens the dynamic loader for execution too, after the program."""
    return name.startswith(b"ld-") or b".so" in name
