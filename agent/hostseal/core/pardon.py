"""A pardon: signed off the host, with reason, person, expiry and nonce (law 8)."""

from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hostseal.core.claim import Form, Incidental, Signed
from hostseal.core.standing import Standing
from hostseal.errors import PardonError

Claim = Incidental
_FORM = Form(
    version=b"hostseal pardon v1\n",
    shape=Claim,
    refused=PardonError,
    name="pardon",
    article="a",
    signer="this host's pardon key",
    made_with="hostseal flag pardon",
)


def sign(claim: Claim, key: Ed25519PrivateKey) -> Signed[Claim]:
    """Return the claim, signed."""
    return _FORM.sign(claim, key)


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
    claim = _FORM.verify(raw, key, now)
    if not claim.reason.strip() or not claim.person.strip():
        raise PardonError("a pardon names a person and a reason")
    return claim


def recorded(data: Any, host: str, key: Ed25519PublicKey) -> str | None:
    """Return the incident that a recorded `flag.pardoned` event's data pardons, None unless it was signed for that host."""
    claim = _FORM.recorded(data, host, key)
    return None if claim is None else claim.incident
