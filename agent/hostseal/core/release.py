"""A release from lockdown: signed off the host, like a pardon, with reason, person, expiry and nonce (law 8)."""

from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hostseal.core.claim import Form, Incidental, Signed
from hostseal.core.lockdown import Level, Lockdown
from hostseal.errors import ReleaseError

Claim = Incidental
_FORM = Form(
    version=b"hostseal release v1\n",
    shape=Claim,
    refused=ReleaseError,
    name="release",
    article="a",
    signer="this host's pardon key",
    made_with="hostseal lockdown release",
)


def sign(claim: Claim, key: Ed25519PrivateKey) -> Signed[Claim]:
    """Return the claim, signed; ReleaseError when it names no person or no reason."""
    _complete(claim)
    return _FORM.sign(claim, key)


def verify(raw: Any, key: Ed25519PublicKey, host: str, lockdown: Lockdown, now: datetime) -> Claim:
    """Return the claim in `raw` (parsed JSON) if it holds here and now; raise ReleaseError, naming why, if not."""
    claim = _FORM.verify(raw, key, now)
    _complete(claim)
    if claim.host != host:
        raise ReleaseError(f"the release is for host {claim.host!r}, this is {host!r}")
    if any(used.nonce == claim.nonce for used in lockdown.releases):
        raise ReleaseError("this release was used before")
    if lockdown.level is Level.OPEN:
        raise ReleaseError("the host is not locked down")
    if lockdown.incident != claim.incident:
        raise ReleaseError(
            f"the release is for incident {claim.incident}, the lockdown is about {lockdown.incident}"
        )
    return claim


def _complete(claim: Claim) -> None:
    if not claim.reason.strip() or not claim.person.strip():
        raise ReleaseError("a release names a person and a reason")
