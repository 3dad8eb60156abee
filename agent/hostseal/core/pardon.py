"""A pardon: signed off the host, with reason, person, expiry and nonce (law 8)."""

import base64
import binascii
from datetime import datetime
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hostseal.core.event import from_timestamp
from hostseal.core.standing import Standing
from hostseal.errors import PardonError

_PREFIX = b"hostseal pardon v1\n"


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is pardoned, for which host, by whom, why, and until when (RFC 3339) it may be applied."""

    host: str
    incident: str
    person: str
    reason: str
    expires: str
    nonce: str


class Signed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A claim and its Ed25519 signature (base64) over a version line and the claim's canonical JSON."""

    claim: Claim
    signature: str


def sign(claim: Claim, key: Ed25519PrivateKey) -> Signed:
    """Return the claim, signed."""
    return Signed(claim=claim, signature=base64.b64encode(key.sign(_message(claim))).decode())


def verify(raw: Any, key: Ed25519PublicKey, host: str, standing: Standing, now: datetime) -> Claim:
    """Return the claim in `raw` (parsed JSON) if it holds here and now; raise PardonError, naming why, if not."""
    claim = signed(raw, key, now)
    if claim.host != host:
        raise PardonError(f"the pardon is for host {claim.host!r}, this is {host!r}")
    if any(p.nonce == claim.nonce for p in standing.pardons):
        raise PardonError("this pardon was used before")
    if standing.incident is None:
        raise PardonError("the host is not flagged")
    if standing.incident.id != claim.incident:
        raise PardonError(f"the pardon is for incident {claim.incident}, the flag is {standing.incident.id}")
    return claim


def signed(raw: Any, key: Ed25519PublicKey, now: datetime) -> Claim:
    """Return the claim in `raw` (parsed JSON) if it was signed by this key and has not expired; raise PardonError if not."""
    try:
        document = msgspec.convert(raw, Signed)
        expires = from_timestamp(document.claim.expires)
        signature = base64.b64decode(document.signature, validate=True)
    except (msgspec.ValidationError, ValueError, binascii.Error) as error:
        raise PardonError(
            f"this is not a pardon: {error}", hint="make one with `hostseal flag pardon`"
        ) from error
    claim = document.claim
    try:
        key.verify(signature, _message(claim))
    except InvalidSignature as error:
        raise PardonError("the signature is not by this host's pardon key") from error
    if expires.tzinfo is None or expires <= now:
        raise PardonError(f"the pardon expired at {claim.expires}")
    if not claim.reason.strip() or not claim.person.strip():
        raise PardonError("a pardon names a person and a reason")
    return claim


def recorded(data: Any, host: str, key: Ed25519PublicKey) -> str | None:
    """Return the incident that a recorded `flag.pardoned` event's data pardons, None unless it was signed for that host.

    Its expiry was for its use; used it has been.
    """
    if not isinstance(data, dict):
        return None
    try:
        fields = {name: value for name, value in data.items() if name != "signature"}
        claim = msgspec.convert({**fields, "host": host}, Claim)
        key.verify(base64.b64decode(data["signature"], validate=True), _message(claim))
    except (KeyError, TypeError, ValueError, msgspec.ValidationError, InvalidSignature):
        return None
    return claim.incident


def _message(claim: Claim) -> bytes:
    return _PREFIX + msgspec.json.encode(claim, order="sorted")
