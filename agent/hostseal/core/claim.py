"""A signed claim: a few words, signed with Ed25519 off the host, that hold once and until they expire.

Pardons, releases and enrolment credentials are claims of different forms. Each form signs over a version line of its own,
so a claim of one form never passes for one of another, even where they share a key.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hostseal.core.event import from_timestamp
from hostseal.errors import BadInputError


class Expiring(Protocol):
    """What every claim says: until when (RFC 3339, with a zone) it may be used."""

    @property
    def expires(self) -> str:
        """The moment from which it holds no more."""


class Incidental(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a pardon or a release says: about which incident, on which host, by whom, why, until when (RFC 3339) it may be used."""

    host: str
    incident: str
    person: str
    reason: str
    expires: str
    nonce: str


C = TypeVar("C", bound=Expiring)


class Signed(msgspec.Struct, Generic[C], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A claim and its Ed25519 signature (base64) over a version line and the claim's canonical JSON."""

    claim: C
    signature: str


@dataclass(frozen=True, kw_only=True)
class Form(Generic[C]):
    """One kind of claim: its version line, its shape, and how a refusal speaks of it."""

    version: bytes
    shape: type[C]
    refused: type[BadInputError]
    name: str
    article: str
    signer: str
    made_with: str

    def sign(self, claim: C, key: Ed25519PrivateKey) -> Signed[C]:
        """Return the claim, signed."""
        return Signed(claim=claim, signature=base64.b64encode(key.sign(self._message(claim))).decode())

    def verify(self, raw: Any, key: Ed25519PublicKey, now: datetime) -> C:
        """Return the claim in `raw` (parsed JSON) if this key signed it and it has not expired; raise `refused` if not."""
        try:
            document = msgspec.convert(raw, Signed[self.shape])  # type: ignore[name-defined]
            expires = from_timestamp(document.claim.expires)
            signature = base64.b64decode(document.signature, validate=True)
        except (msgspec.ValidationError, ValueError, binascii.Error) as error:
            raise self.refused(
                f"this is not {self.article} {self.name}: {error}", hint=f"make one with `{self.made_with}`"
            ) from error
        claim: C = document.claim
        try:
            key.verify(signature, self._message(claim))
        except InvalidSignature as error:
            raise self.refused(f"the signature is not by {self.signer}") from error
        if expires.tzinfo is None or expires <= now:
            raise self.refused(f"the {self.name} expired at {claim.expires}")
        return claim

    def recorded(self, data: Any, host: str, key: Ed25519PublicKey) -> C | None:
        """Return the claim that a recorded event's data holds beside its `signature`, None unless it was signed for that host.

        Its expiry was for its use; used it has been.
        """
        if not isinstance(data, dict):
            return None
        try:
            fields = {name: value for name, value in data.items() if name != "signature"}
            claim = msgspec.convert({**fields, "host": host}, self.shape)
            key.verify(base64.b64decode(data["signature"], validate=True), self._message(claim))
        except (KeyError, TypeError, ValueError, msgspec.ValidationError, InvalidSignature):
            return None
        return claim

    def _message(self, claim: C) -> bytes:
        return self.version + msgspec.json.encode(claim, order="sorted")
