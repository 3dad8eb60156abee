"""Takes pardons on the host: checked against the host's public key, then recorded as an event like any other."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hostseal.core.event import EventType
from hostseal.ports import Clock, Emit
from hostseal.standing_file import StandingFile


class PardonDesk:
    """Verifies a signed pardon and puts it into the spool; the pipeline takes the flag back."""

    def __init__(self, emit: Emit, flag: StandingFile, host: str, key: Path, clock: Clock) -> None:
        self._emit, self._flag, self._host, self._key, self._clock = emit, flag, host, key, clock

    def take(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the receipt; raise PardonError, saying why, when the pardon does not hold."""
        from hostseal.core.pardon import verify  # with cryptography 10 MB, and needed once in a flag's life
        from hostseal.keys import public_key

        claim = verify(
            message["pardon"], public_key(self._key), self._host, self._flag.now, self._clock.now()
        )
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
