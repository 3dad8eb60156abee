"""The agent's regular word about itself: what waits, what was lost, by which policy and from which image it runs."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hostseal.config.settings import Settings
from hostseal.core.event import Event, EventType, from_timestamp, timestamp
from hostseal.ports import Clock
from hostseal.recorder import Recorder
from hostseal.sensors.decision_log import DecisionLogWatch
from hostseal.spool.sqlite import SqliteSpool

# The first one waits so long for the first look at the policy engine.
FIRST_SECONDS = 10.0


class Heartbeat:
    """Records an `agent.heartbeat` at the start and then every so many seconds."""

    def __init__(
        self,
        recorder: Recorder,
        spool: SqliteSpool,
        clock: Clock,
        settings: Settings,
        watch: DecisionLogWatch | None,
    ) -> None:
        self._recorder, self._spool, self._clock, self._watch = recorder, spool, clock, watch
        self._every, self._manifest = settings.agent.heartbeat_seconds, Path(settings.seal.manifest)
        self._lost: Counter[str] = Counter()
        self._due = self._begun = clock.monotonic()

    def told(self, event: Event) -> None:
        """Count a loss."""
        if event.type is EventType.SENSOR_LOST and event.data.get("rescanned") is not True:
            self._lost[str(event.data["sensor"])] += 1

    def tick(self) -> None:
        """Record one if it is time; SpoolError when it cannot be recorded, and it is due still."""
        now = self._clock.monotonic()
        if now < self._due or (self._unlooked and now < self._begun + FIRST_SECONDS):
            return
        moment = timestamp(self._clock.now())
        self._recorder(EventType.AGENT_HEARTBEAT, self.data(), sensor="agent", key=f"heartbeat:{moment}")
        self._due = now + self._every

    @property
    def _unlooked(self) -> bool:
        return self._watch is not None and not self._watch.first_look.is_set()

    def data(self) -> dict[str, Any]:
        """Return what is told. `lost` counts the losses of each sensor since the agent's start."""
        image = self._recorder.host.image
        return {
            "spool": {
                "pending": self._spool.pending(),
                "oldest_seconds": self._oldest(),
                "dead": self._spool.dead(),
            },
            "image": {"id": image, "built": built(self._manifest) if image else None},
            "policy": {"revision": self._watch.revision if self._watch else None},
            "lost": dict(sorted(self._lost.items())),
        }

    def _oldest(self) -> float | None:
        head = self._spool.head()
        if head is None:
            return None
        return max(0.0, round((self._clock.now() - from_timestamp(head.event.time)).total_seconds(), 3))


def built(manifest: Path) -> str | None:
    """Return when the image's manifest was written, which its build does last; None where there is none.

    An image has no date of its own: its digest is of what is in it. The file's time is not signed, and root may change it.
    """
    try:
        return timestamp(datetime.fromtimestamp(manifest.stat().st_mtime, UTC))
    except (OSError, ValueError, OverflowError):
        return None
