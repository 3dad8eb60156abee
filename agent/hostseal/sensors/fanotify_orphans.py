"""Changes in directories that are gone before their name could be read, kept until the removal names them.

`rm -r` removes the files first and the directory last; the record of the directory's own removal carries both
its name and its handle, so what was in it can still be named.
"""

from collections.abc import Iterator

from hostseal.core.attribution import ProcessFacts
from hostseal.sensors.fanotify_abi import Record

Orphan = tuple[Record, ProcessFacts | None]
LIMIT = 65_536


class Orphans:
    """Records by the handle of their directory, at most `limit` of them."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._count = 0
        self._by_directory: dict[bytes, list[Orphan]] = {}

    def __len__(self) -> int:
        return self._count

    def add(self, record: Record, facts: ProcessFacts | None) -> bool:
        """Keep a record; return True when those of the oldest directory had to be dropped for it."""
        self._by_directory.setdefault(record.directory, []).append((record, facts))
        self._count += 1
        if self._count <= self._limit:
            return False
        self._count -= len(self._by_directory.pop(next(iter(self._by_directory))))
        return True

    def below(self, directory: bytes, path: bytes) -> Iterator[tuple[Record, bytes, ProcessFacts | None]]:
        """Yield, once, what was kept of a directory now known by name, and of those that were in it."""
        waiting = [(directory, path)]
        while waiting:
            key, here = waiting.pop()
            found = self._by_directory.pop(key, [])
            self._count -= len(found)
            for record, facts in found:
                there = here if record.name in (b".", b"") else here + b"/" + record.name
                yield record, there, facts
                if record.target:
                    waiting.append((record.target, there))

    def clear(self) -> None:
        """Drop everything: the removals that would have named them are lost."""
        self._by_directory.clear()
        self._count = 0
