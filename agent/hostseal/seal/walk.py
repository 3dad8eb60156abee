"""Walks a tree in a manifest's order without following links."""

import os
from collections.abc import Iterator

import msgspec

from hostseal.core.seal import text
from hostseal.core.seal_format import LISTING_ITEMS, Item
from hostseal.core.trees import Position, Trees
from hostseal.seal import look
from hostseal.seal.folders import Folders


class Part(msgspec.Struct, frozen=True, array_like=True):
    """Names of one folder, sorted, at most LISTING_ITEMS of them."""

    folder: bytes
    names: tuple[bytes, ...]


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """What a walk found, each with its folder, and which paths it could not read, with the reason."""

    items: tuple[tuple[bytes, Item], ...]
    unreadable: dict[str, str]


class Walk:
    """Yields the parts of a tree. `unreadable` fills with the folders that could not be listed, with the reason."""

    def __init__(self, folders: Folders, trees: Trees | None = None, top: bytes = b"/") -> None:
        """Walk what is at and below the trees' tops and on the way to them; everything without `trees`."""
        self._folders, self._trees, self._top = folders, trees, top
        self.unreadable: dict[str, str] = {}

    def __iter__(self) -> Iterator[Part]:
        """Yield a folder's parts, then those of the folders in it. A folder with nothing in it has one empty part."""
        stack = [self._top]
        while stack:
            folder = stack.pop()
            try:
                found = self._folders.names(folder)
            except (FileNotFoundError, NotADirectoryError):
                continue  # gone, or something else by now
            except OSError as error:
                self.unreadable[text(folder)] = os.strerror(error.errno or 0)
                continue
            names = [name for name, _ in found if self._holds(folder, name)]
            for start in range(0, max(1, len(names)), LISTING_ITEMS):
                yield Part(folder, tuple(names[start : start + LISTING_ITEMS]))
            below = (os.path.join(folder, name) for name, is_folder in reversed(found) if is_folder)
            stack.extend(path for path in below if self._enters(path))

    def _holds(self, folder: bytes, name: bytes) -> bool:
        if self._trees is None:
            return True
        return self._trees.position(os.path.join(folder, name)) is Position.INSIDE

    def _enters(self, path: bytes) -> bool:
        return self._trees is None or self._trees.position(path) is not Position.OUTSIDE


def scan(root: bytes, trees: Trees | None = None) -> Scan:
    """Return what is at and below `root` (named as if `root` were `/`), of `trees` only where they are given.

    What vanishes meanwhile is not there. The top itself is no item. For small trees: all of it is held in memory.
    """
    items: list[tuple[bytes, Item]] = []
    try:
        folders = Folders(root)
    except FileNotFoundError:
        return Scan(items=(), unreadable={})
    with folders:
        walk = Walk(folders, trees)
        unreadable = walk.unreadable
        for part in walk:
            found, bad = looked(folders, part)
            items += ((part.folder, item) for item in found)
            unreadable |= bad
    return Scan(items=tuple(items), unreadable=unreadable)


def looked(folders: Folders, part: Part) -> tuple[list[Item], dict[str, str]]:
    """Return what a part's names are now, and which could not be read and why."""
    items, unreadable = [], {}
    try:
        directory = folders.open(part.folder)
    except (FileNotFoundError, NotADirectoryError):
        return [], {}
    for name in part.names:
        try:
            items.append(look.item(directory, name)[0])
        except FileNotFoundError:
            continue
        except OSError as error:
            unreadable[text(os.path.join(part.folder, name))] = reason(error)
    return items, unreadable


def reason(error: OSError) -> str:
    """Return why a path could not be read."""
    return error.strerror or os.strerror(error.errno or 0)
