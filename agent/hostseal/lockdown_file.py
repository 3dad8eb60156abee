"""The lockdown on disk: `lockdown.json`, written whole and fsynced before sshd is told, and there after a reboot."""

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from hostseal import durable
from hostseal.core.lockdown import Lockdown
from hostseal.errors import SpoolError

NAME = "lockdown.json"


class LockdownFile:
    """Holds the lockdown and its file; changes go through one lock."""

    def __init__(self, path: Path) -> None:
        """Read the file; a missing one is an open host, an unreadable one raises SpoolError (never taken for open)."""
        self._path = path
        self._lock = threading.Lock()
        try:
            self._lockdown = read(path)
        except (OSError, msgspec.DecodeError) as error:
            raise SpoolError(f"the lockdown cannot be read: {error}", hint=str(path)) from error

    @property
    def now(self) -> Lockdown:
        """The lockdown as it is on disk."""
        return self._lockdown

    def change(self, next_lockdown: Callable[[Lockdown], Lockdown]) -> tuple[Lockdown, bool]:
        """Apply a pure change; return the lockdown and whether it moved. OSError: nothing changed."""
        with self._lock:
            before = self._lockdown
            after = next_lockdown(before)
            if after != before:
                durable.write(self._path, msgspec.json.format(msgspec.json.encode(after), indent=2))
                self._lockdown = after
            return after, after != before


def read(path: Path) -> Lockdown:
    """Return the lockdown in a file, open when there is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Lockdown)
    except FileNotFoundError:
        return Lockdown()
