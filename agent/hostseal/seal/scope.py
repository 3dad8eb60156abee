"""Which part of a seal is looked at: paths, and all that is below them."""

import os
from collections.abc import Iterable, Iterator


class Scope:
    """Some paths of a tree, all of it when there are none."""

    def __init__(self, paths: Iterable[bytes]) -> None:
        """Take absolute paths."""
        normal = sorted({os.path.normpath(path) for path in paths})
        # "//etc" stays two slashes by POSIX; here it is one.
        tops = [b"/" + path.lstrip(b"/") for path in normal]
        self._paths = tuple(
            one for one in tops if not any(_below(one, other) for other in tops if other != one)
        )
        self._seen: set[bytes] = set()

    def holds(self, path: bytes) -> bool:
        """Tell whether a path is looked at."""
        return not self._paths or any(path == one or _below(path, one) for one in self._paths)

    def within(self, folder: bytes) -> tuple[bool, tuple[bytes, ...] | None]:
        """Tell whether anything in a folder is looked at, and which names; None is all of them."""
        if self.holds(folder):
            return True, None
        names = tuple(os.path.basename(one) for one in self._paths if os.path.dirname(one) == folder)
        return bool(names), names

    def seen(self, folder: bytes) -> None:
        """Note that the manifest has this folder."""
        for one in self._paths:
            if os.path.dirname(one) == folder:
                self._seen.add(one)

    def unseen(self) -> Iterator[bytes]:
        """Yield the paths whose folder the manifest does not have."""
        return (one for one in self._paths if one not in self._seen and one != b"/")


def _below(path: bytes, other: bytes) -> bool:
    return path.startswith(other if other.endswith(b"/") else other + b"/")
