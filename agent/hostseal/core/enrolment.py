"""Enrolment: a one-time credential, signed off the host, by which a new host takes its place in the fleet."""

from datetime import datetime
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hostseal.core.claim import Form, Signed
from hostseal.errors import EnrolmentError


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


_FORM = Form(
    version=b"hostseal enrolment v1\n",
    shape=Claim,
    refused=EnrolmentError,
    name="enrolment credential",
    article="an",
    signer="this fleet's enrolment key",
    made_with="hostseal enrol issue",
)


def issue(claim: Claim, key: Ed25519PrivateKey) -> Signed[Claim]:
    """Return the claim, signed; EnrolmentError when it names no place."""
    place = claim.place
    if not (place.slot and place.instance and place.host and place.image) or place.generation < 1:
        raise EnrolmentError("a credential names slot, generation (from 1), instance, host and image")
    return _FORM.sign(claim, key)


def verify(raw: Any, key: Ed25519PublicKey, now: datetime) -> Claim:
    """Return the claim in `raw` (parsed JSON) if it holds now; EnrolmentError, naming why, if not.

    That it is used once is for :class:`hostseal.enrolment.redemptions.Redemptions` to see to.
    """
    return _FORM.verify(raw, key, now)
