"""One path's entry in microseconds and a few MB, however long the manifest: an SQLite file made from it."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import msgspec

from hostseal import durable, keys
from hostseal.core.seal import Entry, Header, Personal
from hostseal.core.seal_compare import Own
from hostseal.core.seal_format import Item, Listing, entry
from hostseal.core.trees import Position, Trees
from hostseal.errors import KeyFileError, SealError
from hostseal.seal.reading import Reader

_FILE = "seal-index.sqlite"
_FORM = 2  # of the index, not of the manifest: another one is made anew
_SCHEMA = """
CREATE TABLE about (form INTEGER, manifest TEXT);
CREATE TABLE entries (folder BLOB, name BLOB, item BLOB, package TEXT, PRIMARY KEY (folder, name)) WITHOUT ROWID;
"""


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

        The whole manifest is read and its signature checked each time. SealError, with its cause; OSError.
        """
        try:
            public = keys.public_key(key)
        except KeyFileError as error:
            raise SealError(error.message, hint=error.hint, cause="unknown_key") from error
        with Reader.open(manifest, public) as reader:
            place = folder / _FILE
            if not _is_of(place, reader.digest):
                _make(place, reader)
            database = sqlite3.connect(f"file:{place}?mode=ro", uri=True, check_same_thread=False)
            database.execute("PRAGMA cache_size = -1024")
            return cls(database, reader.header, reader.digest)

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


def _is_of(place: Path, manifest: str) -> bool:
    if not place.exists():
        return False
    try:
        with contextlib.closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True)) as database:
            return database.execute("SELECT form, manifest FROM about").fetchall() == [(_FORM, manifest)]
    except sqlite3.DatabaseError:
        return False


def _make(place: Path, reader: Reader) -> None:
    """Make the index beside its place and put it there when it is whole."""
    draft = place.with_name(f".{place.name}.new")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with contextlib.closing(sqlite3.connect(draft)) as database:
        database.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_SCHEMA}")
        encoder = msgspec.msgpack.Encoder()
        with database:
            for listing in reader.listings():
                database.executemany("INSERT INTO entries VALUES (?, ?, ?, ?)", _rows(listing, encoder))
            database.execute("INSERT INTO about VALUES (?, ?)", (_FORM, reader.digest))
    _sync(draft)
    draft.replace(place)
    durable.sync_directory(place.parent)


def _sync(place: Path) -> None:
    file = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _rows(listing: Listing, encoder: msgspec.msgpack.Encoder) -> Iterator[tuple[bytes, bytes, bytes, str]]:
    packages = listing.packages()
    for item in listing.items:
        yield listing.folder, item.name, encoder.encode(item), next(packages, "")
