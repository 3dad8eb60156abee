"""What changed last, looked at first: the clocks of files say where to look, though not that there is nothing else."""

import heapq
import os
from collections.abc import Iterator

from hostseal.core import seal_format as form
from hostseal.core.seal import Entry, text
from hostseal.core.seal_compare import Change, Difference, Own, differences
from hostseal.core.trees import Position, Trees
from hostseal.seal import look
from hostseal.seal.folders import Folders
from hostseal.seal.reading import Reader
from hostseal.seal.scope import Scope
from hostseal.seal.verifying import Batch, Verification
from hostseal.seal.walk import Walk, reason
from hostseal.seal.work import Pace

COUNT = 2048


def newest(reader: Reader, how: Verification, count: int = COUNT) -> Iterator[Batch]:
    """Yield in what the `count` paths differ whose mtime or ctime is the latest, those first; it is no whole comparison.

    Of a folder among them, names that are gone are found too. SealError as :func:`hostseal.seal.verifying.verify`.
    """
    with Folders(os.fsencode(how.root)) as folders:
        paths = _latest(folders, reader, how, count)
        wanted = set(paths)
        sealed, gone = _sealed(folders, reader, wanted)
        own = Own(reader.header.personal)
        spent = Pace(how.bytes_per_second).spent if how.bytes_per_second else None
        if gone:
            yield Batch(differences=tuple(gone))
        for path in paths:
            folder, name = os.path.split(path)
            try:
                now = look.item(folders.open(folder), name, spent=spent)[0]
            except (FileNotFoundError, NotADirectoryError):
                continue  # the whole comparison says so
            except OSError as error:
                found = [Difference(path=text(path), change=Change.UNREADABLE, found=reason(error))]
            else:
                found = differences(sealed.get(path), form.entry(folder, now), own.find(path))
            if found:
                yield Batch(differences=tuple(found))


def _latest(folders: Folders, reader: Reader, how: Verification, count: int) -> list[bytes]:
    """Return the latest paths, the very latest first. The change time cannot be set back but with the clock."""
    scope = Scope(how.scope)
    kept: list[tuple[int, bytes]] = []
    for part in Walk(folders, Trees(map(os.fsencode, reader.header.sealed))):
        for name in part.names:
            path = os.path.join(part.folder, name)
            if not scope.holds(path):
                continue
            try:
                status = os.stat(name, dir_fd=folders.open(part.folder), follow_symlinks=False)
            except OSError:
                continue
            one = (max(status.st_mtime_ns, status.st_ctime_ns), path)
            if len(kept) < count:
                heapq.heappush(kept, one)
            elif one > kept[0]:
                heapq.heapreplace(kept, one)
    return [path for _, path in sorted(kept, reverse=True)]


def _sealed(
    folders: Folders, reader: Reader, wanted: set[bytes]
) -> tuple[dict[bytes, Entry], list[Difference]]:
    """Return what the manifest says of these paths, and which names of the folders among them are gone."""
    around = {os.path.dirname(path) for path in wanted} | wanted
    trees = Trees(map(os.fsencode, reader.header.sealed))
    sealed: dict[bytes, Entry] = {}
    gone: list[Difference] = []
    for folder, payload in reader.payloads():
        if folder not in around:
            continue
        listing = form.read_listing(payload)
        for item in listing.items:
            path = os.path.join(folder, item.name)
            if path in wanted:
                sealed[path] = form.entry(folder, item)
        if folder in wanted and trees.position(folder) is Position.INSIDE:
            gone += _gone(folders, listing)
    return sealed, gone


def _gone(folders: Folders, listing: form.Listing) -> Iterator[Difference]:
    for item in listing.items:
        try:
            os.stat(item.name, dir_fd=folders.open(listing.folder), follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            yield from differences(form.entry(listing.folder, item), None, None)
        except OSError:
            continue  # the whole comparison says so
