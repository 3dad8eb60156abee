"""Manifests as files: made from a tree, read back with the key they must be signed with, compared with a tree."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hostseal.config.files import FilesSettings
from hostseal.core import seal_format as form
from hostseal.core.seal import Header, Personal
from hostseal.core.text import faithful
from hostseal.core.trees import Position, Trees
from hostseal.errors import SealError
from hostseal.seal import workers
from hostseal.seal.folders import Folders
from hostseal.seal.packages import Packages
from hostseal.seal.personal import MANIFEST, PERSONAL
from hostseal.seal.reading import Reader
from hostseal.seal.walk import Part, Walk
from hostseal.seal.work import Looked, Setup
from hostseal.seal.writing import Writer
from hostseal.sensors import mounts

SEALED = FilesSettings().watch
_LIVE = {"proc", "sysfs", "devtmpfs", "cgroup", "cgroup2"}
_TASK_NAMES = 256
_TASK_FOLDERS = 64
_MANIFEST = os.path.split(os.fsencode(MANIFEST))


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest that was written: the image's digest, how many entries it has, and its own digest."""

    image: str
    entries: int
    manifest: str


def create(
    root: Path,
    out: Path,
    key: Ed25519PrivateKey,
    *,
    sealed: Sequence[str] = SEALED,
    personal: Sequence[Personal] = PERSONAL,
    jobs: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Made:
    """Write the signed manifest of the tree at `root`; SealError when anything cannot be read, or a system runs there.

    The image's digest is of the whole tree, without a manifest that may lie in it already. `jobs`: processes, as many as
    there are processors when it is None. `progress` is called with how many paths came since the last call.
    """
    _refuse_live(root)
    trees = Trees(map(os.fsencode, sealed))
    with _opened(root) as folders, Writer(out) as writer, Packages(root) as packages:
        walk = Walk(folders)
        digest = form.ImageDigest()
        below, listed = 0, 0
        last = b""
        for part in _looked_at(root, _without_manifest(walk), jobs):
            if part.unreadable:
                _refuse(part.unreadable)
            digest.add(part.folder, part.items)
            progress(part.count)
            position = trees.position(part.folder)
            if position is Position.OUTSIDE:
                continue
            items = form.decode_items(part.items)
            if position is Position.ABOVE:
                items = tuple(
                    item
                    for item in items
                    if trees.position(os.path.join(part.folder, item.name)) is Position.INSIDE
                )
            elif part.folder != last:
                listed += 1
            last = part.folder
            below += sum(1 for item in items if item.kind == "d")
            writer.add(part.folder, items, packages.owners(part.folder, items))
        if walk.unreadable:
            _refuse(walk.unreadable)
        if below != listed:
            raise SealError("folders came or went while the tree was sealed", hint=str(root))
        header, own = writer.finish(digest.value(), sealed, personal, key)
    return Made(image=header.image, entries=header.entries, manifest=own)


def load(path: Path, key: Ed25519PublicKey) -> Header:
    """Return what the manifest in a file says before its entries; SealError, naming the file, unless all was signed."""
    with Reader.open(path, key) as reader:
        return reader.header


def digest(path: Path) -> str:
    """Return a manifest file's own digest: by it the control side knows that a host has the right one. OSError."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _refuse_live(root: Path) -> None:
    """Reading all of /proc ends in /proc/kcore or never."""
    top = os.fsencode(root.resolve())
    for mount in mounts.own():
        if mount.type in _LIVE and mounts.under(mount.point, top):
            where = faithful(mount.point)
            raise SealError(
                f"{root} cannot be sealed: there is a {mount.type} at {where}",
                hint="a system runs there; seal the tree of an image, with nothing mounted below it",
            )


def _opened(root: Path) -> Folders:
    try:
        return Folders(os.fsencode(root))
    except OSError as error:
        raise SealError(f"{root} cannot be sealed: {os.strerror(error.errno or 0)}") from error


def _without_manifest(parts: Iterable[Part]) -> Iterator[Part]:
    folder, manifest = _MANIFEST
    for part in parts:
        if part.folder == folder and manifest in part.names:
            yield Part(folder, tuple(name for name in part.names if name != manifest))
        else:
            yield part


def _looked_at(root: Path, parts: Iterable[Part], jobs: int | None) -> Iterator[Looked]:
    setup = Setup(root=os.fsencode(root))
    decoder = msgspec.msgpack.Decoder(list[Looked])
    count = workers.processors() if jobs is None else jobs
    for answer in workers.answers(setup, workers.LOOK, _tasks(parts), count):
        yield from decoder.decode(answer)


def _tasks(parts: Iterable[Part]) -> Iterator[bytes]:
    encoder = msgspec.msgpack.Encoder()
    together: list[Part] = []
    names = 0
    for part in parts:
        together.append(part)
        names += len(part.names)
        if names >= _TASK_NAMES or len(together) >= _TASK_FOLDERS:
            yield encoder.encode(together)
            together, names = [], 0
    if together:
        yield encoder.encode(together)


def _refuse(unreadable: dict[str, str]) -> None:
    path, why = next(iter(unreadable.items()))
    raise SealError(f"{path} cannot be sealed: {why}", hint="run it as root")
