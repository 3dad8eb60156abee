"""Changes in directories that are gone before their name could be read, kept until the removal names them.

`rm -r` removes the files first and the directory last; the record of the directory's own removal carries both
its name and its handle, so what was in it can still be named. The kernel may have merged that record with an
earlier one of the same directory: its name is remembered for what comes after it.
"""

from collections import OrderedDict
from collections.abc import Iterator

from hostseal.core.attribution import ProcessFacts
from hostseal.sensors.fanotify_abi import Record

Orphan = tuple[Record, ProcessFacts | None, bool]
"""A record, who made it, and whether it stands in the counts already."""

LIMIT = 65_536
NAMES = 4_096


class Orphans:
    """Records by the handle of their directory, at most `limit` of them."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._count = 0
        self.waiting = 0
        self._by_directory: dict[bytes, list[Orphan]] = {}
        self._names: OrderedDict[bytes, bytes] = OrderedDict()

    def __len__(self) -> int:
        return self._count

    def add(self, record: Record, facts: ProcessFacts | None, *, counted: bool = False) -> int | None:
        """Keep a record; if those of the oldest directory had to be dropped for it, return how many did not yet count."""
        self._by_directory.setdefault(record.directory, []).append((record, facts, counted))
        self._count += 1
        self.waiting += not counted
        if self._count <= self._limit:
            return None
        return self._forget(self._by_directory.pop(next(iter(self._by_directory))))

    def named(self, directory: bytes) -> bytes | None:
        """Return the name under which a directory was removed, None when it is not known."""
        return self._names.get(directory)

    def below(
        self, directory: bytes, path: bytes
    ) -> Iterator[tuple[Record, bytes, ProcessFacts | None, bool]]:
        """Yield, once, what was kept of a directory now known by name, and of those that were in it."""
        waiting = [(directory, path)]
        while waiting:
            key, here = waiting.pop()
            self._name(key, here)
            found = self._by_directory.pop(key, [])
            self._forget(found)
            for record, facts, counted in found:
                there = here if record.name in (b".", b"") else here + b"/" + record.name
                yield record, there, facts, counted
                if record.target and there != here:
                    waiting.append((record.target, there))

    def clear(self) -> int:
        """Drop everything: the removals that would have named them are lost. Return how many did not yet count."""
        dropped = self.waiting
        self._by_directory.clear()
        self._names.clear()
        self._count = self.waiting = 0
        return dropped

    def _name(self, directory: bytes, path: bytes) -> None:
        if directory:
            self._names[directory] = path
            while len(self._names) > NAMES:
                self._names.popitem(last=False)

    def _forget(self, found: list[Orphan]) -> int:
        self._count -= len(found)
        uncounted = sum(not counted for _, _, counted in found)
        self.waiting -= uncounted
        return uncounted
