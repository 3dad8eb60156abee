"""Enrolment: a one-time credential, signed off the host, by which a new host takes its place in the fleet."""

import base64
import binascii
from datetime import datetime
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hostseal.core.event import from_timestamp
from hostseal.errors import EnrolmentError

_PREFIX = b"hostseal enrolment v1\n"


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which host of the fleet: its slot, the generation there, the instance's UUID, its name and its image's digest."""

    slot: str
    generation: int
    instance: str
    host: str
    image: str


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may enrol as what, until when (RFC 3339), and the number by which it is used once."""

    place: Place
    expires: str
    nonce: str


class Signed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A claim and its Ed25519 signature (base64) over a version line and the claim's canonical JSON."""

    claim: Claim
    signature: str


def issue(claim: Claim, key: Ed25519PrivateKey) -> Signed:
    """Return the claim, signed; EnrolmentError when it names no place."""
    place = claim.place
    if not (place.slot and place.instance and place.host and place.image) or place.generation < 1:
        raise EnrolmentError("a credential names slot, generation (from 1), instance, host and image")
    return Signed(claim=claim, signature=base64.b64encode(key.sign(_message(claim))).decode())


def verify(raw: Any, key: Ed25519PublicKey, now: datetime) -> Claim:
    """Return the claim in `raw` (parsed JSON) if it holds now; EnrolmentError, naming why, if not.

    That it is used once is for :class:`hostseal.enrolment.redemptions.Redemptions` to see to.
    """
    try:
        signed = msgspec.convert(raw, Signed)
        expires = from_timestamp(signed.claim.expires)
        signature = base64.b64decode(signed.signature, validate=True)
    except (msgspec.ValidationError, ValueError, binascii.Error) as error:
        raise EnrolmentError(
            f"this is not an enrolment credential: {error}", hint="make one with `hostseal enrol issue`"
        ) from error
    try:
        key.verify(signature, _message(signed.claim))
    except InvalidSignature as error:
        raise EnrolmentError("the credential's signature is not by this fleet's enrolment key") from error
    if expires.tzinfo is None or expires <= now:
        raise EnrolmentError(f"the credential expired at {signed.claim.expires}", hint="issue another one")
    return signed.claim


def _message(claim: Claim) -> bytes:
    return _PREFIX + msgspec.json.encode(claim, order="sorted")
