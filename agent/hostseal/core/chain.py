"""The ledger's hash chain: what a record's hash is made of, heads, and checkpoints signed over them."""

import base64
import binascii
import hashlib
import struct
from collections.abc import Sequence
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hostseal.errors import CheckpointError

VERSION = 1
# The stored columns under a record's hash, in the order of the hash input. `seq` goes before them as a number.
FIELDS = ("kind", "type", "host", "id", "writer", "time", "received", "user", "key", "rules", "ref", "body")
DIGEST_BYTES = 32

_GENESIS = b"hostseal ledger genesis v1\x00"
_RECORD = b"hostseal ledger record v1\x00"
_CHECKPOINT = b"hostseal ledger checkpoint v1\x00"
_NUMBERS = struct.Struct(f">QQ{len(FIELDS)}I")


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """How long a chain is, and the hash (hex) of its last record; of none, the genesis hash."""

    count: int
    hash: str


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


def genesis(ledger: str) -> bytes:
    """Return the hash (32 bytes) that the first record of the ledger with this id follows."""
    return hashlib.sha256(_GENESIS + ledger.encode()).digest()


def link(previous: bytes, position: int, seq: int, fields: Sequence[bytes]) -> bytes:
    """Return the hash (32 bytes) of the record at `position` (1 or more) that follows `previous` (32 bytes).

    `fields` are the stored bytes in the order of FIELDS. The input is: a domain with the version, `previous`,
    position and seq as 64-bit numbers, each field's length as a 32-bit one, then the fields. As everything before
    the fields has a fixed size, no two records have the same input. Raises struct.error and TypeError for what
    is no record.
    """
    numbers = _NUMBERS.pack(position, seq, *map(len, fields))
    return hashlib.sha256(b"".join((_RECORD, previous, numbers, *fields))).digest()


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
