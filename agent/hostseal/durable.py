"""Files that are either the old or the new, whole, and on disk when the call returns."""

import contextlib
import os
import tempfile
from pathlib import Path


def write(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replace `path` by `content` and fsync file and directory; raises OSError and leaves the old one in place."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
