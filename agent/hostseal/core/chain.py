"""The ledger's hash chain: what a record's hash is made of, and heads. The agent uses it: nothing large is imported."""

import hashlib
import struct
from collections.abc import Sequence

import msgspec

VERSION = 1
# The stored columns under a record's hash, in the order of the hash input. `seq` goes before them as a number.
FIELDS = ("kind", "type", "host", "id", "writer", "time", "received", "user", "key", "rules", "ref", "body")
DIGEST_BYTES = 32

_GENESIS = b"hostseal ledger genesis v1\x00"
_RECORD = b"hostseal ledger record v1\x00"
_NUMBERS = struct.Struct(f">QQ{len(FIELDS)}I")


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """How long a chain is, and the hash (hex) of its last record; of none, the genesis hash."""

    count: int
    hash: str


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
