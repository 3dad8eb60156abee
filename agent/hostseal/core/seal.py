"""The seal's manifest: what is in an image's sealed trees, signed when the image is made (docs/reference/seal.md).

One line of JSON each: a header, the entries in the order of their paths' bytes, and the signature over all before it.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hostseal.errors import SealError

FORMAT, VERSION = "hostseal seal", 1
_PREFIX = b"hostseal seal v1\n"
# All that prints in ASCII stands for itself but `%`; the rest of a path's bytes are written as %XX.
_SAFE = "/ !\"#$&'()*+,-.:;<=>?@[\\]^_`{|}~"


class Kind(StrEnum):
    """What a path is."""

    FILE = "file"
    DIRECTORY = "directory"
    LINK = "link"
    SPECIAL = "special"


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One path. `mode` holds the twelve permission bits in octal; `sha256` is a file's, `target` a link's."""

    path: str
    kind: Kind
    mode: str
    uid: int
    gid: int
    sha256: str = ""
    target: str = ""

    @property
    def raw_path(self) -> bytes:
        """The path as the file system has it."""
        return unquote_to_bytes(self.path)


class Personal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Paths that are each host's own: why, and whose they may be.

    `glob` matches component by component, as sealed trees do. What matches may be there or not, with any content; if
    the image has it, its kind, owner and mode must be the image's, and if not, nobody but its owner may write it.
    """

    glob: str
    reason: str
    owner: str = "root"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an image's sealed trees hold. `image` is the digest of the whole image (`sha256:HEX`)."""

    image: str
    sealed: tuple[str, ...]
    personal: tuple[Personal, ...]
    entries: tuple[Entry, ...]


class _Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: str
    version: int
    image: str
    sealed: tuple[str, ...]
    personal: tuple[Personal, ...]
    entries: int


class _Signature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    signature: str


def text(raw: bytes) -> str:
    """Return a path's or a link target's bytes as text that :func:`Entry.raw_path` takes back, byte for byte."""
    return quote_from_bytes(raw, _SAFE)


def image_digest(entries: Iterable[Entry]) -> str:
    """Return the digest of a tree: of its entries' lines, in the order of their paths' bytes."""
    digest = hashlib.sha256(_PREFIX)
    for entry in sorted(entries, key=_by_path):
        digest.update(_line(entry))
    return f"sha256:{digest.hexdigest()}"


def sign(manifest: Manifest, key: Ed25519PrivateKey) -> bytes:
    """Return the manifest as a file, signed. The same manifest and key give the same bytes."""
    header = _Header(
        format=FORMAT,
        version=VERSION,
        image=manifest.image,
        sealed=manifest.sealed,
        personal=manifest.personal,
        entries=len(manifest.entries),
    )
    lines = [_line(header), *(_line(entry) for entry in sorted(manifest.entries, key=_by_path))]
    body = b"".join(lines)
    return body + _signature_line(key.sign(_PREFIX + body))


def read(raw: bytes, key: Ed25519PublicKey) -> Manifest:
    """Return the manifest in a file's bytes; SealError, saying why, unless all of it was signed by this key."""
    header = _header(raw)
    body, last = _split(raw)
    try:
        signature = base64.b64decode(msgspec.json.decode(last, type=_Signature).signature, validate=True)
    except (msgspec.DecodeError, binascii.Error, ValueError) as error:
        raise SealError("the manifest has no signature at its end: it is cut off or not finished") from error
    if _signature_line(signature) != last + b"\n":
        raise SealError("the manifest's signature is not written as it should be: it was changed")
    try:
        key.verify(signature, _PREFIX + body)
    except InvalidSignature as error:
        raise SealError("the manifest was changed, or signed by another key than this one") from error
    try:
        lines = body.splitlines()[1:]
        entries = tuple(msgspec.json.decode(line, type=Entry) for line in lines)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SealError(f"an entry of the manifest is not understood: {error}") from error
    if len(entries) != header.entries or list(entries) != sorted(entries, key=_by_path):
        raise SealError(
            f"the manifest names {header.entries} entries and holds {len(entries)}, or not in order"
        )
    return Manifest(image=header.image, sealed=header.sealed, personal=header.personal, entries=entries)


def _header(raw: bytes) -> _Header:
    first = raw.split(b"\n", 1)[0]
    try:
        found: Any = msgspec.json.decode(first)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SealError("this is not a seal's manifest") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise SealError("this is not a seal's manifest")
    if found.get("version") != VERSION:
        raise SealError(
            f"the manifest has version {found.get('version')!r}, this program reads {VERSION}",
            hint="use the hostseal of the image's time, or build the image again",
        )
    try:
        return msgspec.convert(found, _Header)
    except msgspec.ValidationError as error:
        raise SealError(f"the manifest's header is not understood: {error}") from error


def _split(raw: bytes) -> tuple[bytes, bytes]:
    """Return what is signed, and the last line."""
    if not raw.endswith(b"\n"):
        raise SealError("the manifest is cut off in the middle of a line")
    body, _, last = raw[:-1].rpartition(b"\n")
    return body + b"\n", last


def _signature_line(signature: bytes) -> bytes:
    return _line(_Signature(signature=base64.b64encode(signature).decode()))


def _line(value: msgspec.Struct) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def _by_path(entry: Entry) -> bytes:
    return entry.raw_path
