"""Which paths are watched: trees by glob, minus excludes. Bytes throughout, a file name is not text."""

import fnmatch
import os
import re
from collections.abc import Iterable, Iterator
from enum import Enum

_MAGIC = re.compile(rb"[*?\[]")


class Position(Enum):
    """Where a directory stands: within a watched tree, on the way to where one is or may come to be, or neither."""

    INSIDE = "inside"
    ABOVE = "above"
    OUTSIDE = "outside"


class Scope:
    """The watched trees and the excludes. Symbolic links in the fixed part of a glob are followed once, here."""

    def __init__(self, watch: Iterable[str], exclude: Iterable[str] = ()) -> None:
        self._patterns = tuple(_parts(_real(os.fsencode(pattern))) for pattern in watch)
        excludes = [fnmatch.translate(os.fsencode(glob).decode("latin-1")) for glob in exclude]
        self._excluded = re.compile("|".join(excludes).encode("latin-1")) if excludes else None

    def __str__(self) -> str:
        return ", ".join((b"/" + b"/".join(p)).decode("utf-8", "backslashreplace") for p in self._patterns)

    def position(self, path: bytes) -> Position:
        """Return where the absolute `path` stands; excludes do not matter here."""
        parts, above = _parts(path), False
        for pattern in self._patterns:
            if all(map(fnmatch.fnmatchcase, parts, pattern)):
                if len(parts) >= len(pattern):
                    return Position.INSIDE
                above = True
        return Position.ABOVE if above else Position.OUTSIDE

    def excludes(self, path: bytes) -> bool:
        """Tell whether a watched `path` is left out on purpose."""
        return self._excluded is not None and self._excluded.match(path) is not None

    def holds(self, path: bytes) -> bool:
        """Tell whether a change of `path` is reported."""
        return self.position(path) is Position.INSIDE and not self.excludes(path)

    def bases(self) -> Iterator[bytes]:
        """Return, for each glob, the directory before its first wildcard: everything it matches is at or below."""
        for pattern in self._patterns:
            fixed = next((i for i, part in enumerate(pattern) if _MAGIC.search(part)), len(pattern))
            yield b"/" + b"/".join(pattern[:fixed])


def _parts(path: bytes) -> list[bytes]:
    return [part for part in path.split(b"/") if part]


def _real(pattern: bytes) -> bytes:
    if not pattern.startswith(b"/"):
        pattern = os.path.abspath(pattern)
    magic = _MAGIC.search(pattern)
    if magic is None:
        return os.path.realpath(pattern)
    cut = pattern.rindex(b"/", 0, magic.start()) + 1
    return os.path.join(os.path.realpath(pattern[:cut]), pattern[cut:])
