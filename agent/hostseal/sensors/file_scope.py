"""Which paths are watched: trees by glob, minus excludes. Bytes throughout, a file name is not text."""

import fnmatch
import os
import re
from collections.abc import Iterable, Iterator

from hostseal.core.trees import Position, Trees

__all__ = ["Position", "Scope"]

_MAGIC = re.compile(rb"[*?\[]")


class Scope:
    """The watched trees and the excludes. Symbolic links in the fixed part of a glob are followed once, here."""

    def __init__(self, watch: Iterable[str], exclude: Iterable[str] = ()) -> None:
        self._trees = Trees(_real(os.fsencode(pattern)) for pattern in watch)
        excludes = [fnmatch.translate(os.fsencode(glob).decode("latin-1")) for glob in exclude]
        self._excluded = re.compile("|".join(excludes).encode("latin-1")) if excludes else None

    def __str__(self) -> str:
        return ", ".join(
            (b"/" + b"/".join(p)).decode("utf-8", "backslashreplace") for p in self._trees.patterns
        )

    def position(self, path: bytes) -> Position:
        """Return where the absolute `path` stands; excludes do not matter here."""
        return self._trees.position(path)

    def excludes(self, path: bytes) -> bool:
        """Tell whether a watched `path` is left out on purpose."""
        return self._excluded is not None and self._excluded.match(path) is not None

    def holds(self, path: bytes) -> bool:
        """Tell whether a change of `path` is reported."""
        return self.position(path) is Position.INSIDE and not self.excludes(path)

    def bases(self) -> Iterator[bytes]:
        """Return, for each glob, the directory before its first wildcard: everything it matches is at or below."""
        for pattern in self._trees.patterns:
            fixed = next((i for i, part in enumerate(pattern) if _MAGIC.search(part)), len(pattern))
            yield b"/" + b"/".join(pattern[:fixed])


def _real(pattern: bytes) -> bytes:
    if not pattern.startswith(b"/"):
        pattern = os.path.abspath(pattern)
    magic = _MAGIC.search(pattern)
    if magic is None:
        return os.path.realpath(pattern)
    cut = pattern.rindex(b"/", 0, magic.start()) + 1
    return os.path.join(os.path.realpath(pattern[:cut]), pattern[cut:])
