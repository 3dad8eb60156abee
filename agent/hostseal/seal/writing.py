"""Writes a manifest as a stream: the listings to a file without a name, and header, listings and signature when all is known."""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hostseal import durable
from hostseal.core import seal_format as form
from hostseal.core import seal_signature
from hostseal.core.seal import Header, Personal
from hostseal.errors import SealError

_CHUNK = 1 << 20


class Writer:
    """A manifest in the making. Listings come in a manifest's order."""

    def __init__(self, out: Path) -> None:
        """Begin beside the file that it is to become; SealError when nothing can be written there."""
        self._out, self._entries = out, 0
        try:
            self._spool = tempfile.TemporaryFile(dir=out.parent)  # noqa: SIM115 - closed by __exit__
        except OSError as error:
            raise _unwritten(error, out) from error

    def add(self, folder: bytes, items: Sequence[form.Item], packages: Sequence[str]) -> None:
        """Take in names of a folder, at most LISTING_ITEMS of them; SealError."""
        self._entries += len(items)
        try:
            self._spool.write(form.listing_frame(folder, items, packages))
        except OSError as error:
            raise _unwritten(error, self._out) from error

    def finish(
        self, image: str, sealed: Sequence[str], personal: Sequence[Personal], key: Ed25519PrivateKey
    ) -> tuple[Header, str]:
        """Sign and put the manifest in its place, whole or not at all; return its header and digest. SealError."""
        header = Header(image=image, sealed=tuple(sealed), personal=tuple(personal), entries=self._entries)
        try:
            return header, self._written(header, key)
        except OSError as error:
            raise _unwritten(error, self._out) from error

    def _written(self, header: Header, key: Ed25519PrivateKey) -> str:
        digest = hashlib.sha256()
        with durable.replacing(self._out, mode=0o644) as file:
            for chunk in (form.MAGIC, form.header_frame(header)):
                digest.update(chunk)
                file.write(chunk)
            self._spool.seek(0)
            while chunk := self._spool.read(_CHUNK):
                digest.update(chunk)
                file.write(chunk)
            last = seal_signature.signature_frame(digest.digest(), key)
            digest.update(last)
            file.write(last)
        return f"sha256:{digest.hexdigest()}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()


def _unwritten(error: OSError, out: Path) -> SealError:
    return SealError(f"the manifest cannot be written: {os.strerror(error.errno or 0)}", hint=str(out))
