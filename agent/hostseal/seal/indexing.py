"""`python -m hostseal.seal.indexing FOLDER MANIFEST KEY`: believes a manifest and makes its index, in a process of its own.

What a signature takes, some 12 MB of library, the agent need not hold for as long as it runs. The answer is one line of
JSON on standard output: an :class:`Answer`.
"""

import contextlib
import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from hostseal import durable, keys
from hostseal.core.seal_format import Listing
from hostseal.errors import KeyFileError, SealError
from hostseal.seal.index import FILE, Answer, Refusal
from hostseal.seal.reading import Reader

_FORM = 2  # of the index, not of the manifest: another one is made anew
_SCHEMA = """
CREATE TABLE about (form INTEGER, manifest TEXT);
CREATE TABLE entries (folder BLOB, name BLOB, item BLOB, package TEXT, PRIMARY KEY (folder, name)) WITHOUT ROWID;
"""


def ensure(folder: Path, manifest: Path, key: Path) -> Answer:
    """Read the whole manifest, check its signature, and see that the index is of it. SealError, with its cause; OSError."""
    try:
        public = keys.public_key(key)
    except KeyFileError as error:
        raise SealError(error.message, hint=error.hint, cause="unknown_key") from error
    with Reader.open(manifest, public) as reader:
        place = folder / FILE
        if not _is_of(place, reader.digest):
            _make(place, reader)
        return Answer(manifest=reader.digest, header=reader.header)


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


def main(arguments: Sequence[str]) -> None:
    """Answer; a manifest that is not believed is an answer too."""
    folder, manifest, key = map(Path, arguments)
    try:
        answer = ensure(folder, manifest, key)
    except SealError as error:
        answer = Answer(refusal=Refusal(message=error.message, hint=error.hint, cause=error.cause))
    except (OSError, sqlite3.Error) as error:
        answer = Answer(refusal=Refusal(message=f"{type(error).__name__}: {error}"))
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")


if __name__ == "__main__":
    main(sys.argv[1:])
