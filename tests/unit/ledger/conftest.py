"""A ledger with a few records, signed."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hostseal.core import checkpoint
from hostseal.ledger import checkpoints, database, store
from hostseal.ledger.database import Database
from hostseal.ledger.entry import Entry

NOW = "2026-11-24T12:00:00.000000Z"


class FixedClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(1_800_000_000 + self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds


class Small:
    """A ledger of a few records, its signer and its keys."""

    def __init__(self, folder: Path) -> None:
        self.path, self.clock = folder / "ledger.db", FixedClock()
        database.make(self.path)
        self.database = Database(self.path)
        self.key = Ed25519PrivateKey.generate()
        self.signer = checkpoints.Signer(self.database, self.key, self.clock)

    @property
    def keys(self) -> dict[str, Ed25519PublicKey]:
        public = self.key.public_key()
        return {checkpoint.key_id(public): public}

    def add(self, *entries: Entry) -> None:
        store.append(self.database, entries, NOW)


def entry(number: int, kind: str = "decision", host: str = "web-1-g1", **more: object) -> Entry:
    """Return an entry in which every column has something."""
    body = b'{"number":%d,"text":"\xc3\xa9"}' % number
    values = {
        "kind": kind, "host": host, "id": hashlib.sha256(b"%d" % number).hexdigest()[:16], "writer": f"opa@{host}", "time": NOW, "body": body,
        "type": "session.opened", "seq": number, "user": "alice", "key": "SHA256:x", "rules": " a_rule ",
        "ref": f"event-{number}",
    }  # fmt: skip
    return Entry(**{**values, **more})  # type: ignore[arg-type]


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """Six records with a checkpoint over four and one over all."""
    made = Small(tmp_path)
    made.add(*(entry(number) for number in range(1, 5)))
    made.signer.sign()
    made.add(entry(5), entry(6))
    made.signer.sign()
    return made
