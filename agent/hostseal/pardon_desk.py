"""Takes pardons on the host: checked against the host's public key, then recorded as an event like any other."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hostseal.core.event import EventType
from hostseal.errors import PardonError
from hostseal.ports import Clock, Emit
from hostseal.standing_file import StandingFile


class PardonDesk:
    """Verifies a signed pardon and puts it into the spool; the pipeline takes the flag back."""

    def __init__(self, emit: Emit, flag: StandingFile, host: str, key: Path, clock: Clock) -> None:
        self._emit, self._flag, self._host, self._key, self._clock = emit, flag, host, key, clock

    def take(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the receipt; raise PardonError, saying why, when the pardon does not hold."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        from hostseal.core.pardon import verify  # with cryptography 10 MB, and needed once in a flag's life

        try:
            key = load_pem_public_key(self._key.read_bytes())
        except (OSError, ValueError) as error:
            raise PardonError(f"the pardon key cannot be read: {error}", hint=str(self._key)) from error
        if not isinstance(key, Ed25519PublicKey):
            raise PardonError("the pardon key is not an Ed25519 public key", hint=str(self._key))
        claim = verify(message["pardon"], key, self._host, self._flag.now, self._clock.now())
        data = {
            "incident": claim.incident,
            "person": claim.person,
            "reason": claim.reason,
            "expires": claim.expires,
            "nonce": claim.nonce,
            "signature": message["pardon"]["signature"],
        }
        identity = self._emit(EventType.FLAG_PARDONED, data, sensor="pardon", key=claim.nonce)
        return {"ok": True, "id": identity}
