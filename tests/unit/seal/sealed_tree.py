"""A small tree, its manifest, and what verification says of it."""

import os
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hostseal.core.seal import Entry
from hostseal.core.seal_compare import Change, Difference
from hostseal.seal import files
from hostseal.seal.newest import newest
from hostseal.seal.reading import Reader
from hostseal.seal.verifying import Batch, Verification, verify

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)


class SealedTree:
    """A tree at `root`, and its manifest at `manifest` once it was sealed."""

    def __init__(self, top: Path) -> None:
        self.top, self.root, self.manifest = top, top / "root", top / "m"
        self.raw = os.fsencode(self.root)
        self.cache = top / "cache"
        (self.root / "etc").mkdir(parents=True)

    def write(self, path: str, content: str = "x") -> Path:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
        return place

    def seal(self, **more: Any) -> files.Made:
        return files.create(self.root, self.manifest, KEY, **more)

    def entries(self) -> dict[str, Entry]:
        with Reader.open(self.manifest, KEY.public_key()) as reader:
            return {entry.path: entry for entry in reader.entries()}

    def batches(self, **how: Any) -> list[Batch]:
        with Reader.open(self.manifest, KEY.public_key()) as reader:
            return list(verify(reader, Verification(root=self.root, **how)))

    def differences(self, **how: Any) -> list[Difference]:
        return [one for batch in self.batches(**how) for one in batch.differences]

    def changes(self, **how: Any) -> list[tuple[str, Change]]:
        return [(one.path, one.change) for one in self.differences(**how)]

    def newest(self, count: int) -> list[tuple[str, Change]]:
        with Reader.open(self.manifest, KEY.public_key()) as reader:
            batches = list(newest(reader, Verification(root=self.root), count))
        return [(one.path, one.change) for batch in batches for one in batch.differences]

    def quick(self) -> tuple[int, int, list[tuple[str, Change]]]:
        """How many files were read, how many were known, and what differs."""
        batches = self.batches(cache=self.cache)
        found = [(one.path, one.change) for batch in batches for one in batch.differences]
        return sum(batch.hashed for batch in batches), sum(batch.cached for batch in batches), found
