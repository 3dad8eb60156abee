"""Of which paths befores are kept: the settings' globs, and never what is a secret as a whole."""

import fnmatch
import glob
import os
import re
from collections.abc import Iterable

from hostseal.config.files import NEVER_SHOWN, DiffSettings

_MAGIC = re.compile(rb"[*?\[]")


class Choice:
    """The globs of one settings. Bytes throughout, a file name is not text."""

    def __init__(self, settings: DiffSettings) -> None:
        self._wanted = _any_of(settings.paths)
        self._excluded = _any_of((*NEVER_SHOWN, *settings.exclude))
        self._globs = tuple(map(os.fsencode, settings.paths))

    def wants(self, path: bytes) -> bool:
        """Tell whether a path's file may be read and shown."""
        return self._wanted.match(path) is not None and self._excluded.match(path) is None

    def leads_on(self, directory: bytes) -> bool:
        """Tell whether a directory's content may be wanted: what a glob matches, it matches with all that is below."""
        return self._wanted.match(directory) is not None and self._excluded.match(directory + b"/") is None

    def bases(self) -> list[bytes]:
        """Return where to look for what is there now: files named in full, and the directories of the globs."""
        found: set[bytes] = set()
        for one in self._globs:
            if _MAGIC.search(one) is None:
                found.add(one)
            else:
                found.update(glob.glob(os.path.dirname(one)))
        return sorted(found)


def _any_of(globs: Iterable[str]) -> re.Pattern[bytes]:
    patterns = [fnmatch.translate(os.fsencode(glob).decode("latin-1")) for glob in globs]
    return re.compile("|".join(patterns or [r"(?!)"]).encode("latin-1"))
