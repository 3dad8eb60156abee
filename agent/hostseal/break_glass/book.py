"""What was granted and taken back on this machine: one line of JSON each, its owner's alone, on disk before it counts."""

import os
from pathlib import Path
from typing import Literal

import msgspec

from hostseal import durable
from hostseal.core.break_glass import Grant, Serial
from hostseal.errors import BreakGlassError
from hostseal.locking import locked

_LOCK_SECONDS = 10.0


class Issued(msgspec.Struct, frozen=True, kw_only=True, tag="issued", tag_field="what"):
    """One certificate of a grant. Times in seconds since 1970; `decision` is the id in the decision log."""

    grant: Grant
    serial: Serial
    authority: str
    fingerprint: str
    valid_after: int
    valid_before: int
    time: str
    decision: str
    asked: Literal["grant", "extend"]


class Revoked(msgspec.Struct, frozen=True, kw_only=True, tag="revoked", tag_field="what"):
    """A certificate that was taken back, by authority (SHA256 fingerprint) and serial."""

    authority: str
    serial: Serial
    time: str
    person: str


_ENTRY = msgspec.json.Decoder(Issued | Revoked)


class Book:
    """The record, in one folder."""

    def __init__(self, folder: Path) -> None:
        """Keep the record in `folder`, which is made, mode 0700, when it is missing. OSError."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = folder / "grants.jsonl"
        self._lock = folder / "lock"

    def add(self, entry: Issued | Revoked) -> None:
        """Put an entry at the end; it is on disk when this returns. OSError, LockedError."""
        with locked(self._lock, seconds=_LOCK_SECONDS):
            handle = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(handle, "r+b") as file:
                # A write that broke off left no line that counts.
                file.truncate(file.read().rfind(b"\n") + 1)
                file.seek(0, os.SEEK_END)
                file.write(msgspec.json.encode(entry) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            durable.sync_directory(self._file.parent)

    def entries(self) -> list[Issued | Revoked]:
        """Return all entries, oldest first; BreakGlassError when a line cannot be read."""
        try:
            raw = self._file.read_bytes()
        except FileNotFoundError:
            return []
        found = []
        for number, line in enumerate(raw[: raw.rfind(b"\n") + 1].splitlines(), 1):
            try:
                found.append(_ENTRY.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise BreakGlassError(f"this is no entry: {error}", hint=f"{self._file}:{number}") from error
        return found

    def issued(self, grant: str) -> list[Issued]:
        """Return the certificates of a grant, oldest first; BreakGlassError when there is no such grant here."""
        found = [one for one in self.entries() if isinstance(one, Issued) and one.grant.id == grant]
        if not found:
            raise BreakGlassError(f"there is no grant {grant!r} here", hint="`hostseal break-glass list`")
        return found
