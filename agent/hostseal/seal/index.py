"""One path's entry in microseconds and a few MB, however long the manifest: an SQLite file made from it."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Self

import msgspec

from hostseal.core.seal import Entry, Header, Personal
from hostseal.core.seal_compare import Own
from hostseal.core.seal_format import Item, entry
from hostseal.core.trees import Position, Trees
from hostseal.errors import SealError

FILE = "seal-index.sqlite"
BELIEVE_SECONDS = 600.0
"""How long a manifest may take to be believed: one of a million entries takes some seconds."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a manifest is not believed, as in :class:`SealError`."""

    message: str
    hint: str = ""
    cause: str = "unreadable"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What :mod:`hostseal.seal.indexing` found out: the manifest's digest and header, or a refusal."""

    manifest: str = ""
    header: Header | None = None
    refusal: Refusal | None = None


class SealIndex:
    """A believed manifest, to be asked path by path. `manifest` is its digest, `entries` how many it has."""

    def __init__(self, database: sqlite3.Connection, header: Header, manifest: str) -> None:
        self.image, self.entries, self.manifest = header.image, header.entries, manifest
        self.header = header
        self._database = database
        self._own = Own(header.personal)
        self._trees = Trees(map(os.fsencode, header.sealed))
        self._decoder = msgspec.msgpack.Decoder(Item)

    @classmethod
    def open(cls, folder: Path, manifest: Path, key: Path) -> Self:
        """Return the index in `folder` (root's alone), made anew unless it is of this manifest.

        The whole manifest is read and its signature checked each time, by a process of its own. SealError, with its
        cause; OSError.
        """
        header, digest = _believed(folder, manifest, key)
        database = sqlite3.connect(f"file:{folder / FILE}?mode=ro", uri=True, check_same_thread=False)
        database.execute("PRAGMA cache_size = -1024")
        return cls(database, header, digest)

    def entry(self, path: bytes) -> Entry | None:
        """Return what the seal says of a path, None if it says nothing. SealError when the index cannot be read."""
        folder, name = os.path.split(path)
        try:
            row = self._database.execute(
                "SELECT item, package FROM entries WHERE folder = ? AND name = ?", (folder, name)
            ).fetchone()
        except sqlite3.DatabaseError as error:
            raise SealError(f"the seal's index cannot be read: {error}") from error
        return None if row is None else entry(folder, self._decoder.decode(row[0]), row[1])

    def own(self, path: bytes) -> Personal | None:
        """Return why a path is the host's own, None if it is not."""
        return self._own.find(path)

    def covers(self, path: bytes) -> bool:
        """Tell whether a path is within the sealed trees, be it in the manifest or not."""
        return self._trees.position(path) is Position.INSIDE

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _believed(folder: Path, manifest: Path, key: Path) -> tuple[Header, str]:
    """Return a manifest's header and digest once its index is there."""
    command: list[str | Path] = [sys.executable, "-I", "-m", "hostseal.seal.indexing", folder, manifest, key]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=BELIEVE_SECONDS, check=False
        )
        answer = msgspec.json.decode(done.stdout, type=Answer)
    except subprocess.TimeoutExpired as error:
        raise SealError(
            f"the manifest was not read within {BELIEVE_SECONDS:g} s", hint=str(manifest)
        ) from error
    except msgspec.DecodeError as error:
        said = done.stderr.decode("utf-8", "backslashreplace").strip()[-500:]
        raise SealError(
            f"the manifest's reader ended with status {done.returncode}: {said}", hint=str(manifest)
        ) from error
    if answer.refusal is not None:
        raise SealError(answer.refusal.message, hint=answer.refusal.hint, cause=answer.refusal.cause)
    if answer.header is None:
        raise SealError("the manifest's reader gave no header", hint=str(manifest))
    return answer.header, answer.manifest
