"""The host's standing on disk: `flag.json`, written whole and fsynced before anything is answered."""

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from hostseal import durable
from hostseal.core.standing import Standing
from hostseal.errors import SpoolError


class StandingFile:
    """Holds the standing and its file; changes go through one lock."""

    def __init__(self, path: Path) -> None:
        """Read the file; a missing one is a sealed host, an unreadable one raises SpoolError (never a clean slate)."""
        self._path = path
        self._lock = threading.Lock()
        try:
            self._standing = read(path)
        except (OSError, msgspec.DecodeError) as error:
            raise SpoolError(f"the standing cannot be read: {error}", hint=str(path)) from error

    @property
    def now(self) -> Standing:
        """The standing as it is on disk."""
        return self._standing

    def change(self, next_standing: Callable[[Standing], Standing]) -> tuple[Standing, bool]:
        """Apply a pure change; return the standing and whether anything but the seq moved. OSError: nothing changed."""
        with self._lock:
            before = self._standing
            after = next_standing(before)
            moved = msgspec.structs.replace(after, seq=before.seq) != before
            if moved:
                durable.write(
                    self._path, msgspec.json.format(msgspec.json.encode(_document(after)), indent=2)
                )
                self._standing = after
            return after, moved


def read(path: Path) -> Standing:
    """Return the standing in a file, sealed when there is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Standing)
    except FileNotFoundError:
        return Standing()


def _document(standing: Standing) -> dict[str, object]:
    return {"state": str(standing.state), **msgspec.to_builtins(standing)}
