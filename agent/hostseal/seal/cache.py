"""What files held at which status, kept from one comparison to the next: frames in the manifest's order, and a checksum.

It is a saving, not a witness: who can write it, or set the clock while changing a file, can hide a change from it. A
comparison without it reads everything.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Self

import msgspec

from hostseal import durable
from hostseal.core.seal import folder_rank
from hostseal.seal.work import NO_FILE, NOTHING

_MAGIC = b"hostseal seal cache 1\n"
_LENGTH_BYTES = 4
_SUM_BYTES = 32

_Place = tuple[bytes, int]


class _Part(msgspec.Struct, frozen=True, array_like=True):
    folder: bytes
    number: int
    known: msgspec.Raw


class Cache:
    """What was known last time. Whatever is wrong with the file, nothing is known."""

    def __init__(self, path: Path | None) -> None:
        """Read from the beginning; without a path there is no cache, and files are not asked for their status."""
        self._parts = iter(()) if path is None else _parts(path)
        self._none = path is None
        self._next = next(self._parts, None)

    def of(self, folder: bytes, number: int) -> msgspec.Raw:
        """Return what is known of the files of a folder's listing with this number. Asked for in a manifest's order."""
        if self._none:
            return NOTHING
        wanted = folder_rank(folder), number
        while self._next is not None and (folder_rank(self._next.folder), self._next.number) < wanted:
            self._next = next(self._parts, None)
        found = self._next
        return (
            found.known if found is not None and (found.folder, found.number) == (folder, number) else NO_FILE
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class CacheWriter:
    """What is known now, to be kept. Without a path nothing is."""

    def __init__(self, path: Path | None) -> None:
        """Begin anew; OSError."""
        self._path = path
        self._encoder = msgspec.msgpack.Encoder()
        self._spool: BinaryIO | None = None

    def add(self, places: Sequence[_Place], known: Sequence[msgspec.Raw]) -> None:
        """Take in what is known of listings, in a manifest's order."""
        if self._spool is None:
            return
        for (folder, number), files in zip(places, known, strict=True):
            if bytes(files) != bytes(NO_FILE):
                part = self._encoder.encode(_Part(folder, number, files))
                self._spool.write(len(part).to_bytes(_LENGTH_BYTES, "big") + part)

    def finish(self) -> None:
        """Put it in place of what was known last time; OSError."""
        if self._spool is None or self._path is None:
            return
        digest = hashlib.sha256(_MAGIC)
        self._spool.seek(0)
        with durable.replacing(self._path) as file:
            file.write(_MAGIC)
            while chunk := self._spool.read(1 << 20):
                digest.update(chunk)
                file.write(chunk)
            file.write(digest.digest())

    def __enter__(self) -> Self:
        if self._path is not None:
            self._spool = tempfile.TemporaryFile(dir=self._path.parent)
        return self

    def __exit__(self, *_: object) -> None:
        if self._spool is not None:
            self._spool.close()


def _parts(path: Path) -> Iterator[_Part]:
    decoder = msgspec.msgpack.Decoder(_Part)
    try:
        with path.open("rb") as file:
            left = _whole(file)
            while left > 0:
                length = int.from_bytes(file.read(_LENGTH_BYTES), "big")
                yield decoder.decode(file.read(length))
                left -= _LENGTH_BYTES + length
    except (OSError, msgspec.DecodeError):
        return


def _whole(file: BinaryIO) -> int:
    """Return how many bytes of parts there are, 0 unless the checksum is right; the file stands before the first."""
    status = os.fstat(file.fileno())
    trusted = status.st_uid in {0, os.geteuid()} and not status.st_mode & 0o022
    left = status.st_size - len(_MAGIC) - _SUM_BYTES
    if not trusted or left <= 0 or file.read(len(_MAGIC)) != _MAGIC:
        return 0
    digest, unread = hashlib.sha256(_MAGIC), left
    while unread > 0 and (chunk := file.read(min(unread, 1 << 20))):
        digest.update(chunk)
        unread -= len(chunk)
    if unread or file.read(_SUM_BYTES) != digest.digest():
        return 0
    file.seek(len(_MAGIC))
    return left
