"""Trees named by globs: one component of a glob matches one component of a path. Bytes, a file name is not text."""

import fnmatch
from collections.abc import Iterable
from enum import Enum


class Position(Enum):
    """Where a path stands: within a tree, on the way to where one is or may come to be, or neither."""

    INSIDE = "inside"
    ABOVE = "above"
    OUTSIDE = "outside"


class Trees:
    """The trees whose tops match one of the globs."""

    def __init__(self, globs: Iterable[bytes]) -> None:
        """Take absolute globs; `*`, `?` and `[]` stand for part of one name."""
        self.patterns = tuple(parts(glob) for glob in globs)

    def position(self, path: bytes) -> Position:
        """Return where the absolute `path` stands."""
        names, above = parts(path), False
        for pattern in self.patterns:
            if all(map(fnmatch.fnmatchcase, names, pattern)):
                if len(names) >= len(pattern):
                    return Position.INSIDE
                above = True
        return Position.ABOVE if above else Position.OUTSIDE


def parts(path: bytes) -> list[bytes]:
    """Return the components of a path."""
    return [part for part in path.split(b"/") if part]
