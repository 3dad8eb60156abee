"""Folds raw changes into change sets: one per writer, closed by quiet or by age, bounded in size."""

from collections import deque
from collections.abc import Collection
from enum import StrEnum

import msgspec

from hostseal.core.attribution import (
    UNKNOWN,
    Agreement,
    Confidence,
    ProcessFacts,
    Writer,
    WriterKey,
    confidence_of,
    weakest,
)
from hostseal.core.scopes import merged

MAX_WRITERS = 256
_BEYOND = 256
_FOLDERS = 4096


class What(StrEnum):
    """What happened to a path. A rename counts for the old name and for the new one."""

    CREATED = "created"
    MODIFIED = "modified"
    DELETED = "deleted"
    RENAMED = "renamed"
    ATTRIBUTES = "attributes"


_BIT = {what.value: 1 << index for index, what in enumerate(What)}


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """When a change set closes (seconds), how many paths it names, how many closed ones may wait."""

    quiet_seconds: float = 0.5
    max_age_seconds: float = 10.0
    max_paths: int = 200
    max_waiting: int = 320


class PathChange(msgspec.Struct, frozen=True):
    """One path and what happened to it, in the order of :class:`What`: the kernel merges, and order with it."""

    path: bytes
    what: tuple[What, ...]


class ChangeSet(msgspec.Struct, frozen=True, kw_only=True):
    """What one writer did. `first` and `last` are the changes' own times; `count` is of raw changes.

    `writer` has no session: that is looked up by the key. `unnamed` of the changes are of paths that found no room; `beyond`
    are directories that those are in or below, `folders` the very ones: None when they are too many to tell.
    """

    key: WriterKey
    writer: Writer
    paths: tuple[PathChange, ...]
    count: int
    truncated: bool
    confidence: Confidence
    first: float
    last: float
    unnamed: int = 0
    beyond: tuple[bytes, ...] = ()
    folders: frozenset[bytes] | None = frozenset()


class _Open:
    """A change set that still grows."""

    __slots__ = (
        "agreement", "beyond", "confidences", "count", "first", "folders", "key", "last", "paths", "process", "unnamed",
    )  # fmt: skip

    def __init__(self, key: WriterKey, at: float) -> None:
        self.key = key
        self.first = self.last = at
        self.count = 0
        self.unnamed = 0
        self.beyond: set[bytes] = set()
        self.folders: set[bytes] | None = set()
        self.paths: dict[bytes, int] = {}
        self.agreement = Agreement()
        self.confidences: set[Confidence] = set()
        self.process: ProcessFacts | None = None

    def by(self, process: ProcessFacts | None) -> None:
        if process is None or process is not self.process:
            self.process = process
            self.confidences.add(confidence_of(self.key, process))
            if process is not None:
                self.agreement.add(process)

    def without(self, path: bytes) -> None:
        self.unnamed += 1
        folder = path.rpartition(b"/")[0] or b"/"  # a third of what dirname takes
        self.beyond.add(folder)
        if self.folders is not None:
            self.folders.add(folder)
            if len(self.folders) > _FOLDERS:
                self.folders = None
        if len(self.beyond) > _BEYOND:
            self.beyond = set(merged(self.beyond))

    def closed(self) -> ChangeSet:
        return ChangeSet(
            key=self.key,
            writer=self.agreement.writer(self.key),
            paths=tuple(
                PathChange(p, tuple(w for w in What if bits & _BIT[w.value]))
                for p, bits in self.paths.items()
            ),
            count=self.count,
            truncated=self.unnamed > 0,
            confidence=weakest(self.confidences),
            first=self.first,
            last=self.last,
            unnamed=self.unnamed,
            beyond=merged(self.beyond),
            folders=None if self.folders is None else frozenset(self.folders),
        )


class Fold:
    """The change sets under way.

    Where one set ends and the next begins depends on the changes' times alone, not on when :meth:`due` is
    asked; unless `max_waiting` closed sets wait, when the open ones just grow. Not safe for threads.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open: dict[WriterKey, _Open] = {}
        self._closed: deque[ChangeSet] = deque()

    def __len__(self) -> int:
        return len(self._open) + len(self._closed)

    def add(
        self, path: bytes, what: str, at: float, key: WriterKey = UNKNOWN, process: ProcessFacts | None = None
    ) -> bool:
        """Take one change by `key`; see :meth:`add_all`."""
        return self.add_all([(path, what)], at, key, process)

    def add_all(
        self,
        changes: Collection[tuple[bytes, str]],
        at: float,
        key: WriterKey = UNKNOWN,
        process: ProcessFacts | None = None,
    ) -> bool:
        """Take changes, of path and what, made by `key` at one time; return whether this began a change set.

        `at` never goes back. Raises `KeyError` when `what` is no :class:`What`.
        Beyond `MAX_WRITERS` at a time, further writers are thrown together as unknown.
        """
        current = self._open.get(key)
        if current is None and len(self._open) >= MAX_WRITERS:
            key, process, current = UNKNOWN, None, self._open.get(UNKNOWN)
        if current is not None and at >= self._end(current) and len(self._closed) < self._limits.max_waiting:
            self._close(current)
            current = None
        began = current is None
        if current is None:
            current = self._open[key] = _Open(key, at)
        current.count += len(changes)
        current.last = at
        current.by(process)
        paths, limit = current.paths, self._limits.max_paths
        for path, what in changes:
            bits = paths.get(path)
            if bits is not None:
                paths[path] = bits | _BIT[what]
            elif len(paths) < limit:
                paths[path] = _BIT[what]
            else:
                current.without(path)
        return began

    @property
    def count(self) -> int:
        """How many raw changes are in the sets under way and in those that wait to be returned."""
        return sum(one.count for one in self._open.values()) + sum(one.count for one in self._closed)

    def since(self) -> float | None:
        """Return the time of the oldest change that :meth:`due` has not returned, None when there is none."""
        sets: list[_Open | ChangeSet] = [*self._open.values(), *self._closed]
        return min((one.first for one in sets), default=None)

    def next_due(self) -> float | None:
        """Return when :meth:`due` next has something, None when nothing is under way."""
        if self._closed:
            return self._closed[0].last
        return min(map(self._end, self._open.values()), default=None)

    def due(self, now: float) -> list[ChangeSet]:
        """Return the change sets that are complete at `now`, oldest first; each is returned once."""
        for current in [c for c in self._open.values() if self._end(c) <= now]:
            self._close(current)
        return self._take()

    def flush(self) -> list[ChangeSet]:
        """Return everything, complete or not: nothing more will come."""
        for current in list(self._open.values()):
            self._close(current)
        return self._take()

    def _end(self, current: _Open) -> float:
        return min(current.last + self._limits.quiet_seconds, current.first + self._limits.max_age_seconds)

    def _close(self, current: _Open) -> None:
        del self._open[current.key]
        self._closed.append(current.closed())

    def _take(self) -> list[ChangeSet]:
        taken = sorted(self._closed, key=lambda one: one.first)
        self._closed.clear()
        return taken
