"""Walks a tree without following links and says of each path what the seal records."""

import os
import stat
from collections.abc import Iterator

import msgspec

from hostseal.core.seal import Entry, Kind, text
from hostseal.core.trees import Position, Trees
from hostseal.sensors.file_digest import sha256

_NO_LIMIT = 1 << 62


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """What a walk found, and which paths it could not read, with the reason."""

    entries: tuple[Entry, ...]
    unreadable: dict[str, str]


def scan(root: bytes, trees: Trees | None = None) -> Scan:
    """Return the entries at and below `root` (named as if `root` were `/`), of `trees` only where they are given.

    What vanishes meanwhile is not there. The top itself is no entry.
    """
    entries: list[Entry] = []
    unreadable: dict[str, str] = {}
    for path, place in _paths(root.rstrip(b"/"), trees, unreadable):
        try:
            entry = _entry(path, place)
        except FileNotFoundError:
            continue
        except OSError as error:
            unreadable[text(path)] = os.strerror(error.errno or 0)
            continue
        entries.append(entry)
    return Scan(entries=tuple(entries), unreadable=unreadable)


def _paths(root: bytes, trees: Trees | None, unreadable: dict[str, str]) -> Iterator[tuple[bytes, bytes]]:
    """Yield each path as the manifest names it, and where it is."""
    stack = [b"/"]
    while stack:
        folder = stack.pop()
        try:
            with os.scandir(root + folder) as found:
                for entry in found:
                    path = os.path.join(folder, entry.name)
                    position = Position.INSIDE if trees is None else trees.position(path)
                    if position is Position.INSIDE:
                        yield path, root + path
                    if position is not Position.OUTSIDE and entry.is_dir(follow_symlinks=False):
                        stack.append(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            unreadable[text(folder)] = os.strerror(error.errno or 0)


def _entry(path: bytes, place: bytes) -> Entry:
    status = os.lstat(place)
    digest, target = "", ""
    if stat.S_ISREG(status.st_mode):
        kind = Kind.FILE
        found = sha256(place, _NO_LIMIT)
        if found is None:
            os.lstat(place)  # gone meanwhile: FileNotFoundError
            raise PermissionError(13, "cannot be read")
        digest = found
    elif stat.S_ISDIR(status.st_mode):
        kind = Kind.DIRECTORY
    elif stat.S_ISLNK(status.st_mode):
        kind = Kind.LINK
        target = text(os.readlink(place))
    else:
        kind = Kind.SPECIAL
    return Entry(
        path=text(path),
        kind=kind,
        mode=f"{stat.S_IMODE(status.st_mode):04o}",
        uid=status.st_uid,
        gid=status.st_gid,
        sha256=digest,
        target=target,
    )
