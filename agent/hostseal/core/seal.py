"""What the seal knows of a path, and in which order paths stand in a manifest (docs/reference/seal.md)."""

from enum import StrEnum
from urllib.parse import quote_from_bytes, unquote_to_bytes

import msgspec

# All that prints in ASCII stands for itself but `%`; the rest of a path's bytes are written as %XX.
_SAFE = "/ !\"#$&'()*+,-.:;<=>?@[\\]^_`{|}~"


class Kind(StrEnum):
    """What a path is."""

    FILE = "file"
    DIRECTORY = "directory"
    LINK = "link"
    FIFO = "fifo"
    SOCKET = "socket"
    CHARACTER = "character_device"
    BLOCK = "block_device"


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One path. `mode` holds the twelve permission bits in octal, `size` a file's bytes.

    `sha256` is a file's; `target` a link's, or a device's `MAJOR:MINOR`. `xattrs` are the extended attributes that the
    seal records, `package` the one that owns the path in the image; what is found on a host has none.
    """

    path: str
    kind: Kind
    mode: str
    uid: int
    gid: int
    size: int = 0
    sha256: str = ""
    target: str = ""
    xattrs: dict[str, str] = {}
    package: str = ""

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


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a manifest says before its entries. `image` is the digest of the whole image (`sha256:HEX`)."""

    image: str
    sealed: tuple[str, ...]
    personal: tuple[Personal, ...]
    entries: int


def text(raw: bytes) -> str:
    """Return a path's or a link target's bytes as text that :attr:`Entry.raw_path` takes back, byte for byte."""
    return quote_from_bytes(raw, _SAFE)


def folder_rank(folder: bytes) -> bytes:
    """Return by what folders are ordered: as a walk that goes down before it goes on meets them.

    Below a folder come its own names, sorted, and only then what is below the first of its folders.
    """
    return folder.replace(b"/", b"\0") if folder != b"/" else b""


def rank(path: bytes) -> tuple[bytes, bytes]:
    """Return by what paths are ordered in a manifest: by the folder they are in, then by name."""
    folder, _, name = path.rpartition(b"/")
    return folder_rank(folder), name
