"""The manifest as bytes, version 2: frames of MessagePack, one or more for each folder, and a signature over all of them.

Nothing here reads a file: frames go in and out one by one, so that a manifest of any length takes the same memory.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice, repeat
from typing import Literal

import msgspec

from hostseal.core.seal import Entry, Header, Kind, folder_rank, rank, text
from hostseal.errors import SealError

VERSION = 2
NAME = b"hostseal seal "
MAGIC = NAME + b"%d\n" % VERSION
SIGNED = b"hostseal seal v2\n"
HEADER, LISTING, SIGNATURE = b"H", b"D", b"S"
PREFIX_BYTES = 5
FRAME_LIMIT = 64 << 20
LISTING_ITEMS = 256

Letter = Literal["f", "d", "l", "p", "s", "c", "b"]
KINDS: dict[Letter, Kind] = {
    "f": Kind.FILE,
    "d": Kind.DIRECTORY,
    "l": Kind.LINK,
    "p": Kind.FIFO,
    "s": Kind.SOCKET,
    "c": Kind.CHARACTER,
    "b": Kind.BLOCK,
}


class Item(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One name of a folder. `content`: a file's 32 bytes of SHA-256, a link's target, a device's MAJOR:MINOR."""

    name: bytes
    kind: Letter
    mode: int
    uid: int
    gid: int
    size: int
    content: bytes
    xattrs: dict[str, bytes]


class Run(msgspec.Struct, frozen=True, array_like=True):
    """So many names one after the other belong to this package, `""` for none."""

    package: str
    names: int


class Listing(msgspec.Struct, frozen=True, array_like=True):
    """Names of one folder in the order of their bytes, at most LISTING_ITEMS of them, and whose they are."""

    folder: bytes
    items: tuple[Item, ...]
    owners: tuple[Run, ...]

    def packages(self) -> Iterator[str]:
        """Yield the names' packages; it may end early, and the rest has none."""
        return (package for run in self.owners for package in repeat(run.package, run.names))

    def entries(self) -> Iterator[Entry]:
        """Yield what the names are, as a person or a program wants to see it."""
        packages = self.packages()
        for item in self.items:
            yield entry(self.folder, item, next(packages, ""))


class _Folder(msgspec.Struct, frozen=True, array_like=True):
    folder: bytes
    items: msgspec.Raw
    owners: msgspec.Raw


_encoder = msgspec.msgpack.Encoder()
_listing = msgspec.msgpack.Decoder(Listing)
_folder = msgspec.msgpack.Decoder(_Folder)
_header = msgspec.msgpack.Decoder(Header)
_items = msgspec.msgpack.Decoder(tuple[Item, ...])


def frame(kind: bytes, payload: bytes) -> bytes:
    """Return a frame: its kind, the length of what follows in four bytes, highest first, and that; SealError if too long."""
    if len(payload) > FRAME_LIMIT:
        raise SealError(f"{FRAME_LIMIT} bytes do not hold what a manifest says of one folder's names")
    return kind + len(payload).to_bytes(4, "big") + payload


def header_frame(header: Header) -> bytes:
    """Return a header as the frame that comes first."""
    return frame(HEADER, _encoder.encode(header))


def read_header(payload: bytes) -> Header:
    """Return the header in a frame; SealError."""
    try:
        return _header.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SealError(f"the manifest's header is not understood: {error}") from error


def listing_frame(folder: bytes, items: Sequence[Item], packages: Sequence[str]) -> bytes:
    """Return names of a folder, sorted, as a frame. `packages`: an owner for each."""
    runs = tuple(Run(package, sum(1 for _ in group)) for package, group in groupby(packages))
    return frame(LISTING, _encoder.encode(Listing(folder, tuple(items), runs)))


def read_listing(payload: bytes) -> Listing:
    """Return the listing in a frame; SealError, also when names are not in order or cannot be names."""
    try:
        found = _listing.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SealError(f"an entry of the manifest is not understood: {error}") from error
    last = b""
    for item in found.items:
        name = item.name
        if name <= last or b"/" in name or b"\0" in name or name in {b".", b".."}:
            raise SealError(
                f"the manifest's entries are not in order at {text(os.path.join(found.folder, name))}"
            )
        last = name
    return found


def folder_of(payload: bytes) -> bytes:
    """Return the folder of a listing, and look no further; SealError."""
    try:
        return _folder.decode(payload).folder
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SealError(f"an entry of the manifest is not understood: {error}") from error


def entry(folder: bytes, item: Item, package: str = "") -> Entry:
    """Return what a name of a folder is, spelled out."""
    return Entry(
        path=text(os.path.join(folder, item.name)),
        kind=KINDS[item.kind],
        mode=f"{item.mode:04o}",
        uid=item.uid,
        gid=item.gid,
        size=item.size,
        sha256=item.content.hex() if item.kind == "f" else "",
        target="" if item.kind == "f" else text(item.content),
        xattrs={name: text(value) for name, value in item.xattrs.items()},
        package=package,
    )


def encode_items(items: Sequence[Item]) -> bytes:
    """Return items as one array of MessagePack."""
    return _encoder.encode(items)


def decode_items(raw: bytes) -> tuple[Item, ...]:
    """Return what :func:`encode_items` made."""
    return _items.decode(raw)


class ImageDigest:
    """The digest of a whole tree: of its items, in order, below the names of their folders. Packages do not matter."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._digest = hashlib.sha256(SIGNED)
        self._folder: bytes | None = None

    def add(self, folder: bytes, items: bytes) -> None:
        """Take in the next items, as :func:`encode_items` has them. A folder's may come in parts."""
        count, start = _array(items)
        if not count:
            return
        if folder != self._folder:
            self._digest.update(_encoder.encode(folder))
            self._folder = folder
        self._digest.update(memoryview(items)[start:])

    def value(self) -> str:
        """Return the digest, as `sha256:HEX`."""
        return f"sha256:{self._digest.hexdigest()}"


def image_digest(items: Iterable[tuple[bytes, Item]]) -> str:
    """Return the digest of a tree from its folders and items, in any order."""
    digest = ImageDigest()
    in_order = iter(sorted(items, key=lambda pair: rank(os.path.join(pair[0], pair[1].name))))
    for folder, group in groupby(in_order, key=lambda pair: pair[0]):
        while part := [item for _, item in islice(group, LISTING_ITEMS)]:
            digest.add(folder, encode_items(part))
    return digest.value()


def _array(raw: bytes) -> tuple[int, int]:
    """Return how many elements an array of MessagePack says it has, and where they begin."""
    first = raw[0]
    if first & 0xF0 == 0x90:  # noqa: PLR2004 - fixarray
        return first & 0x0F, 1
    width = 2 if first == 0xDC else 4  # noqa: PLR2004 - array 16, else array 32
    return int.from_bytes(raw[1 : 1 + width], "big"), 1 + width


class Order:
    """Refuses listings that do not come in order."""

    def __init__(self) -> None:
        """Begin before the first."""
        self._last: bytes | None = None

    def next(self, folder: bytes) -> None:
        """Take in the next listing's folder; SealError."""
        if not folder.startswith(b"/"):
            raise SealError("a folder of the manifest has no absolute path")
        now = folder_rank(folder)
        if self._last is not None and now < self._last:
            raise SealError(f"the manifest's folders are not in order at {text(folder)}")
        self._last = now
