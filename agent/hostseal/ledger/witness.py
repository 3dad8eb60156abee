"""Reads witness files: the heads and checkpoints that an agent was told, which it keeps on its own disk."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from hostseal.core.chain import Head
from hostseal.errors import CheckpointError


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a witness file: what the ledger with that id said of itself, and when (the host's time)."""

    time: str
    ledger: str
    head: Head
    checkpoint: Any = None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A line and where it stands."""

    place: str
    line: Line


def read(files: Iterable[Path]) -> Iterator[Told]:
    """Yield the lines of witness files; CheckpointError, naming file and line, when one is none.

    A last line without an end is left out: the agent was killed while it wrote it.
    """
    for file in files:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise CheckpointError(f"the witness cannot be read: {error.strerror}", hint=str(file)) from error
        for number, line in enumerate(content.split(b"\n")[:-1], 1):
            try:
                yield Told(place=f"{file.name}:{number}", line=msgspec.json.decode(line, type=Line))
            except msgspec.DecodeError as error:
                raise CheckpointError(f"this is not a witness: {error}", hint=f"{file}:{number}") from error
