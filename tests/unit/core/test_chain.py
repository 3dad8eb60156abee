"""The chain's hash input."""

import hashlib
import struct

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hostseal.core import chain
from hostseal.core.chain import FIELDS

HASHES = st.binary(min_size=32, max_size=32)
NUMBERS = st.integers(0, (1 << 63) - 1)
RECORDS = st.lists(st.binary(max_size=12), min_size=len(FIELDS), max_size=len(FIELDS))


def test_version_1_of_the_hash_input_is_what_the_reference_says() -> None:
    fields = [name.encode() for name in FIELDS]
    lengths = struct.pack(">12I", *map(len, fields))
    message = (
        b"hostseal ledger record v1\x00" + b"p" * 32 + struct.pack(">QQ", 3, 4) + lengths + b"".join(fields)
    )
    assert chain.link(b"p" * 32, 3, 4, fields) == hashlib.sha256(message).digest()
    assert chain.genesis("id") == hashlib.sha256(b"hostseal ledger genesis v1\x00id").digest()


@given(HASHES, NUMBERS, NUMBERS, RECORDS, HASHES, NUMBERS, NUMBERS, RECORDS)
def test_two_records_have_the_same_hash_only_if_they_are_the_same(
    p1: bytes, n1: int, s1: int, f1: list[bytes], p2: bytes, n2: int, s2: int, f2: list[bytes]
) -> None:
    same = (p1, n1, s1, f1) == (p2, n2, s2, f2)
    assert (chain.link(p1, n1, s1, f1) == chain.link(p2, n2, s2, f2)) is same


@given(RECORDS, st.integers(0, len(FIELDS) - 2), st.integers(1, 12))
def test_moving_bytes_from_one_field_to_the_next_changes_the_hash(
    fields: list[bytes], at: int, by: int
) -> None:
    assume(len(fields[at]) >= by)
    moved = list(fields)
    moved[at], moved[at + 1] = fields[at][:-by], fields[at][-by:] + fields[at + 1]
    assert chain.link(b"p" * 32, 1, 0, moved) != chain.link(b"p" * 32, 1, 0, fields)


@pytest.mark.parametrize("fields", [[b""] * 11, [b""] * 13, ["", *[b""] * 11], [None, *[b""] * 11]])
def test_what_is_no_record_has_no_hash(fields: list[bytes]) -> None:
    with pytest.raises((struct.error, TypeError)):
        chain.link(b"p" * 32, 1, 0, fields)
