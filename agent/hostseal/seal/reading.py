"""A manifest's file, read as a stream: believed first, and each time it is read to its end."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hostseal.core import seal_format as form
from hostseal.core import seal_signature
from hostseal.core.seal import Entry, Header, rank
from hostseal.errors import SealError

_CUT = "the manifest is cut off or not finished"


class Reader:
    """One manifest that the key signed. `digest` is the file's own (`sha256:HEX`)."""

    def __init__(self, file: BinaryIO, header: Header, digest: str, where: str) -> None:
        self.header, self.digest, self._file, self._where = header, digest, file, where

    @classmethod
    def open(cls, path: Path, key: Ed25519PublicKey) -> Self:
        """Return a manifest after all of it was read and its signature checked; SealError, naming the file and a cause."""
        try:
            file = _regular(path)
        except OSError as error:
            raise _unreadable(error, path) from error
        try:
            return cls(file, *_believed(file, key), str(path))
        except OSError as error:
            file.close()
            raise _unreadable(error, path) from error
        except SealError as error:
            file.close()
            raise SealError(error.message, hint=error.hint or str(path), cause=error.cause) from error

    def payloads(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield each listing's folder and payload, in order. SealError if the file is not what it was when it was opened.

        So nothing may be concluded before the last was taken.
        """
        try:
            yield from self._payloads()
        except OSError as error:
            raise _unreadable(error, Path(self._where)) from error
        except SealError as error:
            raise SealError(error.message, hint=error.hint or self._where, cause=error.cause) from error

    def listings(self) -> Iterator[form.Listing]:
        """Yield each listing; as :meth:`payloads`, and SealError also when it does not hold the entries it says."""
        count, order = 0, form.Order()
        last: tuple[bytes, bytes] | None = None
        for _, payload in self.payloads():
            found = form.read_listing(payload)
            order.next(found.folder)
            if found.items:
                first = rank(os.path.join(found.folder, found.items[0].name))
                if last is not None and first <= last:
                    raise SealError("the manifest's entries are not in order", hint=self._where)
                last = rank(os.path.join(found.folder, found.items[-1].name))
            count += len(found.items)
            yield found
        if count != self.header.entries:
            raise SealError(
                f"the manifest names {self.header.entries} entries and holds {count}", hint=self._where
            )

    def entries(self) -> Iterator[Entry]:
        """Yield every entry; as :meth:`listings`."""
        for listing in self.listings():
            yield from listing.entries()

    def _payloads(self) -> Iterator[tuple[bytes, bytes]]:
        self._file.seek(0)
        digest = hashlib.sha256()
        _start(self._file, digest)
        while (found := _next(self._file, digest))[0] == form.LISTING:
            yield form.folder_of(found[1]), found[1]
        if f"sha256:{digest.hexdigest()}" != self.digest:
            raise SealError("the manifest was changed while it was read", cause="signature")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _regular(path: Path) -> BinaryIO:
    file = open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC), "rb")  # noqa: SIM115 - the reader's
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise SealError("the manifest is not a regular file", hint=str(path))
    return file


def _believed(file: BinaryIO, key: Ed25519PublicKey) -> tuple[Header, str]:
    digest = hashlib.sha256()
    header = _start(file, digest)
    before = digest.digest()
    kind, payload = _next(file, digest)
    while kind == form.LISTING:
        before = digest.digest()
        kind, payload = _next(file, digest)
    if kind != form.SIGNATURE:
        raise SealError("the manifest holds what this program does not know")
    if file.read(1):
        raise SealError("something follows the manifest's signature", cause="signature")
    seal_signature.check_signature(payload, before, key)
    return form.read_header(header), f"sha256:{digest.hexdigest()}"


def _start(file: BinaryIO, digest: "hashlib._Hash") -> bytes:
    """Read what comes before the listings; return the header's payload, not yet believed."""
    start = file.read(len(form.MAGIC))
    digest.update(start)
    if start != form.MAGIC:
        raise _other(start + file.read(200))
    kind, payload = _next(file, digest)
    if kind != form.HEADER:
        raise SealError("the manifest does not begin with a header")
    return payload


def _other(start: bytes) -> SealError:
    """Return what is wrong with a file that does not begin as this version's manifests do."""
    if not start or form.MAGIC.startswith(start):
        return SealError(_CUT, cause="cut")
    version: object = None
    line = start.split(b"\n", 1)[0]
    if line.startswith(form.NAME):
        version = line.removeprefix(form.NAME).decode("ascii", "backslashreplace")
    elif line.startswith(b'{"format":"hostseal seal"'):
        version = _old(line)
    if version is None:
        return SealError("this is not a seal's manifest")
    return SealError(
        f"the manifest has version {version}, this program reads {form.VERSION}",
        hint="use the hostseal of the image's time, or build the image again",
        cause="version",
    )


def _old(line: bytes) -> object:
    """Return the version in the beginning of a manifest that is JSON, as version 1 was."""
    _, found, rest = line.partition(b'"version":')
    return rest.split(b",", 1)[0].decode("ascii", "backslashreplace") if found else 1


def _next(file: BinaryIO, digest: "hashlib._Hash") -> tuple[bytes, bytes]:
    """Return the next frame's kind and payload; SealError when the file ends before."""
    prefix = file.read(form.PREFIX_BYTES)
    if not prefix:
        raise SealError(f"the manifest has no signature at its end: {_CUT}", cause="cut")
    length = int.from_bytes(prefix[1:], "big")
    if len(prefix) == form.PREFIX_BYTES and length > form.FRAME_LIMIT:
        raise SealError("a part of the manifest is longer than any may be: it was changed", cause="signature")
    payload = file.read(length)
    if len(prefix) < form.PREFIX_BYTES or len(payload) < length:
        raise SealError(f"the manifest ends in the middle: {_CUT}", cause="cut")
    digest.update(prefix)
    digest.update(payload)
    return prefix[:1], payload


def _unreadable(error: OSError, path: Path) -> SealError:
    cause = "missing" if error.errno == errno.ENOENT else "unreadable"
    return SealError(
        f"the manifest cannot be read: {os.strerror(error.errno or 0)}", hint=str(path), cause=cause
    )
