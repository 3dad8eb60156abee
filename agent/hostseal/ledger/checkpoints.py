"""Signs the chain's head from time to time, and keeps the public keys that checkpoints are checked with."""

from collections.abc import Iterable
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from hostseal import durable
from hostseal.core import checkpoint
from hostseal.core.event import timestamp
from hostseal.errors import CheckpointError
from hostseal.ledger import store
from hostseal.ledger.database import Database
from hostseal.ports import Clock

EVERY_SECONDS = 10.0
EVERY_RECORDS = 1000


class Signer:
    """Signs when there are new records and either is reached: so many of them, so much time."""

    def __init__(self, database: Database, key: Ed25519PrivateKey, clock: Clock) -> None:
        self._database, self._key, self._clock = database, key, clock
        self.newest = store.newest_checkpoint(database)
        self._count = (
            msgspec.json.decode(self.newest, type=checkpoint.Checkpoint).claim.count if self.newest else 0
        )
        self._signed = clock.monotonic()

    def due(self) -> bool:
        """Sign if it is time; return whether that was done."""
        fresh = store.head(self._database).count - self._count
        waited = self._clock.monotonic() - self._signed
        if fresh >= EVERY_RECORDS or (fresh and waited >= EVERY_SECONDS):
            self.sign()
            return True
        return False

    def sign(self) -> None:
        """Sign the head as it is, unless the newest checkpoint is of it."""
        head = store.head(self._database)
        if head.count > self._count:
            made = checkpoint.sign(self._database.ledger_id, head, timestamp(self._clock.now()), self._key)
            store.add_checkpoint(self._database, made)
            self.newest, self._count = msgspec.json.encode(made), head.count
        self._signed = self._clock.monotonic()


def private_key(file: Path) -> Ed25519PrivateKey:
    """Return the checkpoint key in a PEM file; CheckpointError when it is none."""
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(f"the checkpoint key cannot be read: {error}", hint=str(file)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise CheckpointError(
            "the checkpoint key is not an Ed25519 private key", hint="openssl genpkey -algorithm ED25519"
        )
    return key


def public_keys(files: Iterable[Path]) -> dict[str, Ed25519PublicKey]:
    """Return the public keys in PEM files by their ids; CheckpointError when one is none."""
    keys = {}
    for file in files:
        try:
            key = load_pem_public_key(file.read_bytes())
        except (OSError, ValueError) as error:
            raise CheckpointError(f"the public key cannot be read: {error}", hint=str(file)) from error
        if not isinstance(key, Ed25519PublicKey):
            raise CheckpointError("the public key is not an Ed25519 key", hint=str(file))
        keys[checkpoint.key_id(key)] = key
    return keys


def keep_public(key: Ed25519PrivateKey, folder: Path) -> Path:
    """Write the public half under its id, beside those of former keys; return where."""
    public = key.public_key()
    file = folder / f"{checkpoint.key_id(public)}.pub"
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        if not file.exists():
            pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            durable.write(file, pem, mode=0o644)
    except OSError as error:
        raise CheckpointError(f"the public key cannot be kept: {error}", hint=str(file)) from error
    return file
