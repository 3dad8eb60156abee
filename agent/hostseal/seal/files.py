"""Manifests as files: made from a tree, read back with the key they must be signed with, compared with a tree."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hostseal import durable
from hostseal.config.files import FilesSettings
from hostseal.core.seal import Entry, Manifest, Personal, image_digest, read, sign
from hostseal.core.seal_compare import Difference, compare
from hostseal.core.trees import Position, Trees
from hostseal.errors import SealError
from hostseal.seal.personal import MANIFEST, PERSONAL
from hostseal.seal.walk import scan

SEALED = FilesSettings().watch


def create(
    root: Path,
    out: Path,
    key: Ed25519PrivateKey,
    *,
    sealed: Sequence[str] = SEALED,
    personal: Sequence[Personal] = PERSONAL,
) -> Manifest:
    """Write the signed manifest of the tree at `root` and return it; SealError when anything cannot be read.

    The image's digest is of the whole tree, without a manifest that may lie in it already.
    """
    whole = scan(os.fsencode(root))
    if whole.unreadable:
        path, why = next(iter(whole.unreadable.items()))
        raise SealError(f"{path} cannot be sealed: {why}", hint="run it as root")
    entries = [entry for entry in whole.entries if entry.path != MANIFEST]
    manifest = Manifest(
        image=image_digest(entries),
        sealed=tuple(sealed),
        personal=tuple(personal),
        entries=tuple(sorted(_within(entries, sealed), key=lambda entry: entry.raw_path)),
    )
    try:
        durable.write(out, sign(manifest, key), mode=0o644)
    except OSError as error:
        raise SealError(f"the manifest cannot be written: {error.strerror}", hint=str(out)) from error
    return manifest


def load(path: Path, key: Ed25519PublicKey) -> Manifest:
    """Return the manifest in a file; SealError, naming the file, when it cannot be read or believed."""
    try:
        return read(path.read_bytes(), key)
    except OSError as error:
        raise SealError(
            f"the manifest cannot be read: {os.strerror(error.errno or 0)}", hint=str(path)
        ) from error
    except SealError as error:
        raise SealError(error.message, hint=error.hint or str(path)) from error


def digest(path: Path) -> str:
    """Return a manifest file's own digest: by it the control side knows that a host has the right one. OSError."""
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def differences(manifest: Manifest, root: Path) -> tuple[Difference, ...]:
    """Return in what the tree at `root` differs from the manifest."""
    found = scan(os.fsencode(root), _trees(manifest.sealed))
    return compare(manifest, found.entries, found.unreadable)


def _within(entries: list[Entry], sealed: Sequence[str]) -> list[Entry]:
    trees = _trees(sealed)
    return [entry for entry in entries if trees.position(entry.raw_path) is Position.INSIDE]


def _trees(globs: Sequence[str]) -> Trees:
    return Trees(os.fsencode(glob) for glob in globs)
