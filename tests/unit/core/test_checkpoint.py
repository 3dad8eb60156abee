"""Checkpoints hold for their key, their claim and their ledger, and for nothing else."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import to_builtins
from msgspec.structs import replace

from hostseal.core import checkpoint
from hostseal.core.chain import Head
from hostseal.errors import CheckpointError

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
KEYS = {checkpoint.key_id(key.public_key()): key.public_key() for key in (KEY, OTHER)}
HEAD = Head(count=7, hash="ab" * 32)
TIME = "2026-11-24T12:00:00.000000Z"


def test_a_checkpoint_holds_for_its_key() -> None:
    made = checkpoint.sign("ledger", HEAD, TIME, KEY)
    claim = checkpoint.check(to_builtins(made), KEYS)
    assert (claim.ledger, claim.count, claim.hash, claim.time) == ("ledger", 7, HEAD.hash, TIME)


@pytest.mark.parametrize(
    "change",
    [
        {"ledger": "x"},
        {"count": 8},
        {"hash": "cd" * 32},
        {"time": "x"},
        {"key": checkpoint.key_id(OTHER.public_key())},
    ],
)
def test_a_checkpoint_with_another_claim_does_not_hold(change: dict[str, object]) -> None:
    made = checkpoint.sign("ledger", HEAD, TIME, KEY)
    forged = replace(made, claim=replace(made.claim, **change))
    with pytest.raises(CheckpointError, match="signature does not hold"):
        checkpoint.check(to_builtins(forged), KEYS)


def test_a_checkpoint_by_an_unknown_key_does_not_hold() -> None:
    made = checkpoint.sign("ledger", HEAD, TIME, Ed25519PrivateKey.generate())
    with pytest.raises(CheckpointError, match="not among the given ones"):
        checkpoint.check(to_builtins(made), KEYS)


@pytest.mark.parametrize("raw", [None, [], {}, {"claim": {}, "signature": ""}, "text", 7])
def test_what_is_no_checkpoint_does_not_hold(raw: object) -> None:
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        checkpoint.check(raw, KEYS)


@given(st.text(max_size=90))
def test_no_text_is_a_signature(signature: str) -> None:
    made = to_builtins(checkpoint.sign("ledger", HEAD, TIME, KEY))
    assume(signature != made["signature"])
    with pytest.raises(CheckpointError):
        checkpoint.check({**made, "signature": signature}, KEYS)
