"""Keeps the heads that the ledger told this host: with them a log that was cut and signed again is found out."""

import os
from pathlib import Path
from typing import Any

import msgspec

from hostseal import durable
from hostseal.core.chain import Head

MAX_BYTES = 1 << 20
KEPT = 1000


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger with that id said of itself, and when (this host's time, RFC 3339)."""

    time: str
    ledger: str
    head: Head
    checkpoint: Any = None


class WitnessFile:
    """One line for each new head. When it grows too long, every second of the older lines goes."""

    def __init__(self, path: Path) -> None:
        """Read the last line, after cutting off what a kill left without an end; OSError when that cannot be done."""
        self._path = path
        self.last = _last(path)

    def told(self, line: Line) -> None:
        """Append a line, unless it says what the last one says; OSError when it cannot be written."""
        if self.last is not None and (self.last.ledger, self.last.head) == (line.ledger, line.head):
            return
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, msgspec.json.encode(line) + b"\n")
            size = os.fstat(handle).st_size
        finally:
            os.close(handle)
        self.last = line
        if size > MAX_BYTES:
            self._thin()

    def _thin(self) -> None:
        lines = self._path.read_bytes().splitlines(keepends=True)
        durable.write(self._path, b"".join([*lines[:-KEPT:2], *lines[-KEPT:]]))


def _last(path: Path) -> Line | None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)
    for line in reversed(content[:whole].splitlines()):
        try:
            return msgspec.json.decode(line, type=Line)
        except msgspec.DecodeError:
            continue
    return None
