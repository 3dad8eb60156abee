"""The user's cache: directories named by what went into them, complete or absent, safe to fill from two shells."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from frame.errors import FrameError

SUMS = "SHA256SUMS"
DIGEST_LENGTH = 24


def cache_root(env: Mapping[str, str]) -> Path:
    """Return the project's folder in the user's cache, by the XDG base directory specification."""
    base = env.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):
        return Path(base) / "hostseal"
    return Path(env["HOME"] if "HOME" in env else Path.home()) / ".cache" / "hostseal"


def digest_of(files: Iterable[Path], *facts: str) -> str:
    """Return a name for these files' contents and these facts; order matters, the files' places do not."""
    whole = hashlib.sha256()
    for fact in facts:
        whole.update(f"fact {fact}\n".encode())
    for file in files:
        whole.update(f"file {file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()[:DIGEST_LENGTH]


@contextmanager
def locked(lock: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file; another process waits. The kernel drops it if this one dies."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def filled(directory: Path, fill: Callable[[Path], None]) -> Path:
    """Return the cached directory, filled now if it is absent or damaged.

    `fill` gets an empty directory beside the final one. It appears under its name only when complete and on disk,
    with the checksum of each file, which are compared on every later use.
    """
    with locked(directory.with_name(directory.name + ".lock")):
        if directory.exists():
            if intact(directory):
                return directory
            shutil.rmtree(directory)
        work = Path(tempfile.mkdtemp(prefix=f"{directory.name}.", suffix=".part", dir=directory.parent))
        try:
            fill(work)
            _write_sums(work)
            work.chmod(0o755)
            os.sync()
            work.rename(directory)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return directory


def intact(directory: Path) -> bool:
    """Tell whether a cached directory holds exactly the files it was filled with."""
    try:
        return (directory / SUMS).read_text() == _sums(directory)
    except OSError:
        return False


def _write_sums(directory: Path) -> None:
    sums = _sums(directory)
    if not sums:
        raise FrameError(f"{directory}: nothing was made", hint="this is a fault of scripts/frame: report it")
    (directory / SUMS).write_text(sums)


def _sums(directory: Path) -> str:
    files = sorted(file for file in directory.iterdir() if file.name != SUMS and file.is_file())
    return "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files)
