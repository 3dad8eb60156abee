"""Enrolment credentials: every way in which one may not hold."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from hostseal.core.enrolment import Claim, Place, issue, verify
from hostseal.errors import EnrolmentError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
PLACE = Place(slot="web-1", generation=2, instance="i", host="web-1-g2", image="sha256:0")
CLAIM = Claim(place=PLACE, expires=(NOW + timedelta(minutes=5)).isoformat(), nonce="n")


def test_a_credential_holds_until_it_expires() -> None:
    raw = msgspec.to_builtins(issue(CLAIM, KEY))
    assert verify(raw, KEY.public_key(), NOW) == CLAIM
    with pytest.raises(EnrolmentError, match="expired"):
        verify(raw, KEY.public_key(), NOW + timedelta(minutes=5))


@pytest.mark.parametrize("expires", ["2030-01-01T00:00:00", NOW.isoformat()])
def test_a_time_without_zone_and_one_that_is_now_are_over(expires: str) -> None:
    with pytest.raises(EnrolmentError, match="expired"):
        verify(msgspec.to_builtins(issue(replace(CLAIM, expires=expires), KEY)), KEY.public_key(), NOW)


@pytest.mark.parametrize("field", ["slot", "instance", "host", "image", "generation"])
def test_a_changed_place_breaks_the_signature(field: str) -> None:
    raw = msgspec.to_builtins(issue(CLAIM, KEY))
    raw["claim"]["place"][field] = 3 if field == "generation" else "other"
    with pytest.raises(EnrolmentError, match="signature"):
        verify(raw, KEY.public_key(), NOW)


@pytest.mark.parametrize(
    "raw", [None, [], {}, {"claim": {}, "signature": ""}, "x", {"claim": 1, "signature": 2}]
)
def test_something_else_is_no_credential(raw: object) -> None:
    with pytest.raises(EnrolmentError, match="not an enrolment credential"):
        verify(raw, KEY.public_key(), NOW)


@pytest.mark.parametrize("field", ["slot", "instance", "host", "image"])
def test_a_credential_for_no_place_is_not_issued(field: str) -> None:
    with pytest.raises(EnrolmentError, match="names slot"):
        issue(replace(CLAIM, place=replace(PLACE, **{field: ""})), KEY)  # type: ignore[arg-type]


def test_keys_rotate_the_new_key_is_believed_alone() -> None:
    old, new = (msgspec.to_builtins(issue(CLAIM, key)) for key in (KEY, OTHER))
    assert verify(new, OTHER.public_key(), NOW) == CLAIM
    with pytest.raises(EnrolmentError, match="signature"):
        verify(old, OTHER.public_key(), NOW)
