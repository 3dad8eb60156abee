"""Takes releases from lockdown on the host, recorded as an event like any other."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hostseal.core.event import EventType, timestamp
from hostseal.core.lockdown import Level
from hostseal.errors import ReleaseError
from hostseal.lockdown_file import LockdownFile
from hostseal.operator_desk import text
from hostseal.pipeline import Pipeline
from hostseal.ports import Clock, Emit

PURGE_SECONDS = 3.0


class ReleaseDesk:
    """Verifies a signed release and puts it into the spool; the pipeline opens SSH again."""

    def __init__(self, emit: Emit, lockdown: LockdownFile, host: str, key: Path, clock: Clock) -> None:
        self._emit, self._lockdown, self._host, self._key, self._clock = emit, lockdown, host, key, clock

    def take(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the receipt; raise ReleaseError, saying why, when the release does not hold. Nothing is changed then."""
        # With cryptography 10 MB, and needed once in a lockdown's life.
        from hostseal.core.release import verify
        from hostseal.keys import public_key

        raw = message.get("release")
        claim = verify(raw, public_key(self._key), self._host, self._lockdown.now, self._clock.now())
        data = {
            "how": "signed",
            "incident": claim.incident,
            "level": str(self._lockdown.now.level),
            "person": claim.person,
            "reason": claim.reason,
            "expires": claim.expires,
            "nonce": claim.nonce,
            "signature": message["release"]["signature"],
        }
        identity = self._emit(EventType.LOCKDOWN_RELEASED, data, sensor="release", key=claim.nonce)
        return {"ok": True, "id": identity}


class PurgeDesk:
    """Records that root purges a host that is locked down. It opens nothing: what removes the package does that."""

    def __init__(self, emit: Emit, pipeline: Pipeline, clock: Clock) -> None:
        self._emit, self._pipeline, self._clock = emit, pipeline, clock

    def take(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the receipt, with whether the event is decided, so logged, yet; ReleaseError when nothing is locked down."""
        now = self._pipeline.responses.lockdown.now
        if now.level is Level.OPEN:
            raise ReleaseError("the host is not locked down")
        data = {
            "how": "purge",
            "incident": now.incident,
            "level": str(now.level),
            "person": text(message, "person"),
            "reason": text(message, "reason"),
            "expires": None,
            "nonce": None,
            "signature": None,
        }
        key = f"purge:{timestamp(self._clock.now())}"
        identity = self._emit(EventType.LOCKDOWN_RELEASED, data, sensor="release", key=key)
        return {"ok": True, "id": identity, "decided": self._pipeline.settled(identity, PURGE_SECONDS)}
