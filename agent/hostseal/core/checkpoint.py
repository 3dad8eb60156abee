"""Checkpoints: heads of the ledger's chain, signed."""

import base64
import binascii
import hashlib
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hostseal.core.chain import Head
from hostseal.errors import CheckpointError

_CHECKPOINT = b"hostseal ledger checkpoint v1\x00"


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a checkpoint says: this ledger (its id) had this head at that time (RFC 3339), signed by that key's id."""

    ledger: str
    count: int
    hash: str
    time: str
    key: str


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A claim and its Ed25519 signature (base64) over a version line and the claim's canonical JSON."""

    claim: Claim
    signature: str


def key_id(key: Ed25519PublicKey) -> str:
    """Return the name of a checkpoint key: the beginning of its SHA-256, 16 hex digits."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def sign(ledger: str, head: Head, time: str, key: Ed25519PrivateKey) -> Checkpoint:
    """Return a checkpoint over `head`."""
    claim = Claim(ledger=ledger, count=head.count, hash=head.hash, time=time, key=key_id(key.public_key()))
    return Checkpoint(claim=claim, signature=base64.b64encode(key.sign(_message(claim))).decode())


def check(raw: Any, keys: dict[str, Ed25519PublicKey]) -> Claim:
    """Return the claim of a checkpoint (parsed JSON) signed by one of `keys` (by id); CheckpointError, saying why, if not."""
    try:
        checkpoint = msgspec.convert(raw, Checkpoint)
        signature = base64.b64decode(checkpoint.signature, validate=True)
    except (msgspec.ValidationError, ValueError, binascii.Error) as error:
        raise CheckpointError(f"this is not a checkpoint: {error}") from error
    key = keys.get(checkpoint.claim.key)
    if key is None:
        raise CheckpointError(
            f"the checkpoint is by key {checkpoint.claim.key}, which is not among the given ones"
        )
    try:
        key.verify(signature, _message(checkpoint.claim))
    except InvalidSignature as error:
        raise CheckpointError("the checkpoint's signature does not hold") from error
    return checkpoint.claim


def _message(claim: Claim) -> bytes:
    return _CHECKPOINT + msgspec.json.encode(claim, order="sorted")
