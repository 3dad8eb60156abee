"""Busy directories outside the watched trees, about which the kernel is asked to be silent: ignore marks.

Only files directly in such a directory are left out, and only that they were written, changed or removed. New
names, renames, directories and programs that are begun are still told, for these are how a watched file could
come to be reached from there: by a hard link or a rename into it, or by the directory itself being moved. Then
the mark is taken back and the file looked at, so that nothing watched is hidden.
"""

import os

from hostseal.sensors import fanotify_abi as abi
from hostseal.sensors.fanotify_places import Places
from hostseal.sensors.file_scope import Position

IGNORED = abi.CONTENT | abi.ATTRIB | abi.DELETE
WINDOW_SECONDS = 10.0
BUSY_RECORDS = 500
MARKS = 64
COUNTED = 4_096
BANNED = 256
ENTRIES = 2_000


class Noise:
    """Which directories are ignored now, by handle; and which never will be, for they hold files of several names."""

    def __init__(self, group: int, places: Places) -> None:
        self._group, self._places = group, places
        self._heard: dict[bytes, int] = {}
        self._ignored: set[bytes] = set()
        self._banned: set[bytes] = set()
        self._until = 0.0
        self._supported = True

    def __len__(self) -> int:
        return len(self._ignored)

    def heard(self, directory: bytes, at: float) -> None:
        """Count a record of no concern; a directory that has too many of them is ignored."""
        if at >= self._until or len(self._heard) >= COUNTED:
            self._heard.clear()
            self._until = at + WINDOW_SECONDS
        count = self._heard[directory] = self._heard.get(directory, 0) + 1
        if count == BUSY_RECORDS and self._supported and len(self._ignored) < MARKS:
            self._ignore(directory)

    def ignores(self, directory: bytes) -> bool:
        """Tell whether the kernel is silent about a directory."""
        return directory in self._ignored

    def heed(self) -> None:
        """Ignore nothing: directories may no longer be where they were. What is still busy comes back."""
        if self._ignored:
            abi.heed(self._group)
            self._ignored.clear()
        self._heard.clear()

    def _ignore(self, directory: bytes) -> None:
        """Mark first, then look whether a file with several names is there already."""
        if directory in self._banned or len(self._banned) >= BANNED:
            return
        try:
            descriptor, place = self._places.open(directory)
        except OSError:
            return
        try:
            path = b"/proc/self/fd/%d" % descriptor
            if place.position is Position.OUTSIDE:
                abi.ignore(self._group, IGNORED, path)
                self._ignored.add(directory)
                if _many_names(path):
                    self._banned.add(directory)
                    self.heed()
        except OSError:
            self._supported = False  # before Linux 6.0
        finally:
            os.close(descriptor)


def _many_names(directory: bytes) -> bool:
    """Tell whether a file in `directory` has another name, or whether there are too many to tell."""
    with os.scandir(directory) as entries:
        for count, entry in enumerate(entries):
            if count >= ENTRIES:
                return True
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if status.st_nlink > 1 and not entry.is_dir(follow_symlinks=False):
                return True
    return False
