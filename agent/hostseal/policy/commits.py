"""From which commit sources are, and of what time: the last one that changed them."""

import datetime as dt
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

SECONDS = 30
_LETTERS = 12


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """`clean` is false where something is not committed."""

    id: str
    time: dt.datetime
    clean: bool

    def __str__(self) -> str:
        """Return it as revisions have it: 12 digits of its id, and whether there is more than that."""
        return self.id[:_LETTERS] + ("" if self.clean else ".dirty")


def newest(sources: Sequence[Path]) -> Commit | None:
    """Return the newest commit that changed one of the sources; None where git knows none.

    A clone without its history does not know: its first commit seems to have changed everything, whatever it did.
    """
    found = [commit for commit in map(_last, sources) if commit is not None]
    if not found:
        return None
    last = max(found, key=lambda commit: commit.time)
    return msgspec.structs.replace(last, clean=all(commit.clean for commit in found))


def _last(source: Path) -> Commit | None:
    place = source.resolve()
    folder, name = (place, ".") if place.is_dir() else (place.parent, place.name)
    try:
        said = _git(folder, "log", "-1", "--format=%H %ct", "--", name).split()
        if not said:
            return None
        shallow = _git(folder, "rev-parse", "--git-path", "shallow")
        if said[0] in _lines(folder / shallow):
            return None
        changed = _git(folder, "status", "--porcelain", "--", name)
    except (OSError, subprocess.SubprocessError):
        return None
    time = dt.datetime.fromtimestamp(int(said[1]), dt.UTC)
    return Commit(id=said[0], time=time, clean=not changed)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("ascii").split()
    except FileNotFoundError:
        return []


def _git(folder: Path, *words: str) -> str:
    # What a hook or another repository's command left in the environment is not about this one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", "-C", str(folder), *words],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    )
    return done.stdout.strip()
