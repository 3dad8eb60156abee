"""Folders opened component by component: no link is followed below the root, and no path is too long."""

import os
from typing import Self

_FLAGS = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LISTED = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Folders:
    """Opens folders below a root, named as if it were `/`; keeps the way to the last one open, for the next is near."""

    def __init__(self, root: bytes) -> None:
        """Raise OSError when the root is no directory."""
        self._root = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._way: list[tuple[bytes, int]] = []

    def open(self, folder: bytes) -> int:
        """Return a folder's descriptor, good for `dir_fd` until the next call. OSError, also when a link is on the way."""
        names = [name for name in folder.split(b"/") if name]
        common = 0
        for (known, _), name in zip(self._way, names, strict=False):
            if known != name:
                break
            common += 1
        while len(self._way) > common:
            os.close(self._way.pop()[1])
        for name in names[common:]:
            above = self._way[-1][1] if self._way else self._root
            self._way.append((name, os.open(name, _FLAGS, dir_fd=above)))
        return self._way[-1][1] if self._way else self._root

    def names(self, folder: bytes) -> list[tuple[bytes, bool]]:
        """Return what is in a folder, in the order of the names, and which of it are folders themselves. OSError."""
        listed = os.open(b".", _LISTED, dir_fd=self.open(folder))
        try:
            with os.scandir(listed) as found:
                return sorted((os.fsencode(one.name), one.is_dir(follow_symlinks=False)) for one in found)
        finally:
            os.close(listed)

    def forget(self) -> None:
        """Look the way up again: what is open by now may have been moved."""
        while self._way:
            os.close(self._way.pop()[1])

    def close(self) -> None:
        """Close what is open."""
        self.forget()
        os.close(self._root)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
