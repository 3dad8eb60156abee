"""Remembers which certificates opened a session on this host, till they have expired by themselves."""

import threading
from datetime import datetime
from pathlib import Path

import msgspec

from hostseal import durable
from hostseal.core.event import from_timestamp
from hostseal.errors import SpoolError
from hostseal.ports import Clock

KEPT = 10_000


class UsedCertificates:
    """Certificates by authority (fingerprint) and serial, in one durable file."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Read the file; SpoolError when it cannot be understood: a used certificate must not pass for a new one."""
        self._path, self._clock = path, clock
        self._lock = threading.Lock()
        try:
            self._used = msgspec.json.decode(path.read_bytes(), type=dict[str, str | None])
        except FileNotFoundError:
            self._used = {}
        except (OSError, msgspec.DecodeError) as error:
            raise SpoolError(f"the used certificates cannot be read: {error}", hint=str(path)) from error

    def used(self, ca: str, serial: int) -> bool:
        """Return whether a session was opened with this certificate."""
        with self._lock:
            return f"{ca} {serial}" in self._used

    def use(self, ca: str, serial: int, until: str | None) -> bool:
        """Note, durably, a session that was opened with it; return whether it was the first.

        `until` (RFC 3339, None: never) is when the certificate expires; sshd refuses it from then on, so it is
        forgotten. SpoolError when it cannot be noted.
        """
        name = f"{ca} {serial}"
        with self._lock:
            if name in self._used:
                return False
            now = self._clock.now()
            kept = {one: end for one, end in self._used.items() if _lives(end, now)}
            if len(kept) >= KEPT:
                raise SpoolError(f"{KEPT} certificates are in use", hint=str(self._path))
            kept[name] = until
            try:
                durable.write(self._path, msgspec.json.encode(kept))
            except OSError as error:
                raise SpoolError(
                    f"a used certificate cannot be noted: {error}", hint=str(self._path)
                ) from error
            self._used = kept
            return True


def _lives(until: str | None, now: datetime) -> bool:
    return until is None or from_timestamp(until) > now
