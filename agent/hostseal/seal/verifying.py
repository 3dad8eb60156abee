"""Compares a tree with a manifest: streams the one beside the other, and lets workers look at what is there."""

import os
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import msgspec

from hostseal.core import seal_format as form
from hostseal.core.seal import text
from hostseal.core.seal_compare import Change, Difference
from hostseal.core.trees import Position, Trees
from hostseal.errors import SealError
from hostseal.seal import look, workers
from hostseal.seal.cache import Cache, CacheWriter
from hostseal.seal.folders import Folders
from hostseal.seal.reading import Reader
from hostseal.seal.scope import Scope
from hostseal.seal.walk import Walk, reason
from hostseal.seal.work import Check, Checked, Setup, Work

_TASK_BYTES = 24 << 10
_TASK_CHECKS = 64


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Some differences, in the manifest's order, and what was done for them.

    `entries` were compared, `hashed` files read, `cached` ones known, `unreadable` paths could not be read.
    """

    differences: tuple[Difference, ...]
    entries: int = 0
    hashed: int = 0
    cached: int = 0
    unreadable: int = 0


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """How a tree is compared. `scope`: only what is at or below these paths. `cache`: content by status, kept here.

    `jobs`: processes, as many as there are processors when it is None. `bytes_per_second`: how much is read at most.
    """

    root: Path = Path("/")
    scope: tuple[bytes, ...] = ()
    cache: Path | None = None
    jobs: int | None = None
    bytes_per_second: int = 0


def verify(reader: Reader, how: Verification) -> Iterator[Batch]:
    """Yield in what the tree differs from a manifest, as found.

    Only after the last one may anything be concluded. SealError when the manifest or the root cannot be read, or a worker
    ends before its work.
    """
    try:
        folders = Folders(os.fsencode(how.root))
    except OSError as error:
        raise SealError(f"{how.root} cannot be compared: {reason(error)}") from error
    with folders:
        yield from _Verify(reader, how, folders).batches()


class _Verify:
    def __init__(self, reader: Reader, how: Verification, folders: Folders) -> None:
        header = reader.header
        self._reader, self._how, self._folders = reader, how, folders
        self._trees = Trees(map(os.fsencode, header.sealed))
        self._scope = Scope(how.scope)
        self._setup = Setup(
            root=os.fsencode(how.root),
            sealed=header.sealed,
            personal=header.personal,
            bytes_per_second=how.bytes_per_second,
        )
        self._above: set[bytes] = set()
        self._frames = 0

    def batches(self) -> Iterator[Batch]:
        decoder = msgspec.msgpack.Decoder(Checked)
        count = workers.processors() if self._how.jobs is None else self._how.jobs
        self._here = Work(self._setup)
        entries = 0
        try:
            with CacheWriter(self._how.cache) as cache:
                self._asked: list[list[tuple[bytes, int]]] = []
                for raw in workers.answers(self._setup, workers.CHECK, self._tasks(), count):
                    answer = decoder.decode(raw)
                    cache.add(self._asked.pop(0), answer.known)
                    entries += answer.entries
                    yield Batch(
                        differences=tuple(answer.differences),
                        entries=answer.entries,
                        hashed=answer.hashed,
                        cached=answer.cached,
                        unreadable=answer.unreadable,
                    )
                    for folder in answer.added:
                        yield from self._new(folder)
                if not self._how.scope and entries != self._reader.header.entries:
                    raise SealError(
                        f"the manifest names {self._reader.header.entries} entries and holds {entries}"
                    )
                yield from self._unsealed_above()
                yield from self._unsealed_scopes()
                if not self._how.scope:
                    cache.finish()
        finally:
            self._here.close()

    def _tasks(self) -> Iterator[bytes]:
        """Yield tasks of some kB each; a folder of many listings is listed here, once."""
        encoder = msgspec.msgpack.Encoder()
        together: list[Check] = []
        asked: list[tuple[bytes, int]] = []
        size = 0
        for place, check in self._checks():
            together.append(check)
            asked.append(place)
            size += len(check.payload)
            if size >= _TASK_BYTES or len(together) >= _TASK_CHECKS:
                self._asked.append(asked)
                yield encoder.encode(together)
                together, asked, size = [], [], 0
        if together:
            self._asked.append(asked)
            yield encoder.encode(together)

    def _checks(self) -> Iterator[tuple[tuple[bytes, int], Check]]:
        order = form.Order()
        with Cache(self._how.cache) as cache:
            for folder, payloads in _by_folder(self._reader.payloads()):
                order.next(folder)
                if self._trees.position(folder) is Position.ABOVE:
                    self._above.add(folder)
                matters, only = self._scope.within(folder)
                if not matters:
                    for _ in payloads:
                        pass
                    continue
                self._scope.seen(folder)
                for number, (payload, names) in enumerate(self._with_names(folder, payloads)):
                    yield (folder, number), Check(payload, names, only, cache.of(folder, number))

    def _with_names(
        self, folder: bytes, payloads: Iterator[bytes]
    ) -> Iterator[tuple[bytes, tuple[bytes, ...] | None]]:
        """Yield each payload with the names in the folder that are its to compare; None for a folder of one listing."""
        payload = next(payloads)
        following = next(payloads, None)
        if following is None:
            yield payload, None
            return
        try:
            there = [name for name, _ in self._folders.names(folder)]
        except OSError:
            # The worker finds that out too, and says so.
            yield payload, None
            yield following, None
            yield from ((one, None) for one in payloads)
            return
        start = 0
        while following is not None:
            last = form.read_listing(payload).items[-1].name
            end = _after(there, last, start)
            yield payload, tuple(there[start:end])
            start, payload, following = end, following, next(payloads, None)
        yield payload, tuple(there[start:])

    def _new(self, top: bytes) -> Iterator[Batch]:
        """Yield all that is in a folder that the manifest does not have."""
        self._folders.forget()
        walk = Walk(self._folders, None, top)
        for part in walk:
            found: list[Difference] = []
            bad = 0
            for name in part.names:
                try:
                    now = look.surface(self._folders.open(part.folder), name)
                except (FileNotFoundError, NotADirectoryError):
                    continue
                except OSError as error:
                    bad += 1
                    found.append(_unreadable(os.path.join(part.folder, name), error))
                    continue
                found += self._here.compared(part.folder, None, now)
            if found:
                yield Batch(differences=tuple(found), unreadable=bad)
        for path, why in walk.unreadable.items():
            yield Batch(
                differences=(Difference(path=path, change=Change.UNREADABLE, found=why),), unreadable=1
            )

    def _added(self, folder: bytes, name: bytes) -> Iterator[Batch]:
        """Yield a path that the manifest does not have, if it is there, and all below it."""
        path = os.path.join(folder, name)
        try:
            now = look.surface(self._folders.open(folder), name)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            yield Batch(differences=(_unreadable(path, error),), unreadable=1)
            return
        yield Batch(differences=tuple(self._here.compared(folder, None, now)))
        if now.kind == "d":
            yield from self._new(path)

    def _unsealed_above(self) -> Iterator[Batch]:
        """Yield what came in folders on the way to sealed trees that the image did not have: a new user's, say."""
        stack = [b"/"]
        while stack:
            folder = stack.pop()
            try:
                found = self._folders.names(folder)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                if folder not in self._above and self._scope.within(folder)[0]:
                    yield Batch(differences=(_unreadable(folder, error),), unreadable=1)
                continue
            for name, is_folder in reversed(found):
                path = os.path.join(folder, name)
                position = self._trees.position(path)
                if position is Position.ABOVE and is_folder:
                    stack.append(path)
                elif position is Position.INSIDE and folder not in self._above and self._scope.holds(path):
                    yield from self._added(folder, name)

    def _unsealed_scopes(self) -> Iterator[Batch]:
        """Yield what is at and below paths that were asked for, in folders that the manifest does not have."""
        for path in self._scope.unseen():
            folder, name = os.path.split(path)
            if self._trees.position(path) is Position.INSIDE and name and folder not in self._above:
                yield from self._added(folder, name)


def _by_folder(payloads: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, Iterator[bytes]]]:
    for folder, group in groupby(payloads, key=lambda pair: pair[0]):
        yield folder, (payload for _, payload in group)


def _after(names: list[bytes], last: bytes, start: int) -> int:
    """Return where in sorted names those begin that come after `last`."""
    low, high = start, len(names)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if names[middle] <= last else (low, middle)
    return low


def _unreadable(path: bytes, error: OSError) -> Difference:
    return Difference(path=text(path), change=Change.UNREADABLE, found=reason(error))
