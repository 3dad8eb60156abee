"""What the agent records about itself: that it began and ended, and when nobody was looking."""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from hostseal import __version__
from hostseal.config.settings import Settings
from hostseal.core.event import EventType, timestamp
from hostseal.ports import Clock
from hostseal.recorder import Recorder
from hostseal.scans.owed import Owed
from hostseal.spool.sqlite import SqliteSpool

_ALIVE = "alive"


class OwnRecord:
    """Records the agent's own events. SpoolError when the spool cannot be written."""

    def __init__(self, recorder: Recorder, spool: SqliteSpool, clock: Clock) -> None:
        self._recorder, self._spool, self._clock = recorder, spool, clock

    def started(self, settings: Settings, sensors: Sequence[str], aside: str | None) -> Owed | None:
        """Record the start; return the loss that a scan has to make up for, if the agent had been running before.

        `aside` is where a damaged spool was put.
        """
        now = timestamp(self._clock.now())
        if aside:
            self.lost("spool", "the spool was damaged and set aside", None, aside)
        last = self._spool.recall(_ALIVE)
        loss = self.lost("agent", "the agent was not running", last.decode(), "all sensors") if last else None
        data = {
            "version": __version__,
            "config_digest": hashlib.sha256(msgspec.json.encode(settings, order="sorted")).hexdigest(),
            "policy_revision": None,
            "sensors": list(sensors),
        }
        self._recorder(EventType.AGENT_STARTED, data, sensor="agent", key=f"started:{now}")
        return loss

    def alive(self) -> None:
        """Note that the agent is running now."""
        self._spool.remember(_ALIVE, timestamp(self._clock.now()).encode())

    def lost(self, sensor: str, cause: str, since: str | None, scope: str) -> Owed:
        """Record that a sensor saw nothing until now; return what is owed for it."""
        until = timestamp(self._clock.now())
        data: dict[str, Any] = {
            "sensor": sensor, "cause": cause, "since": since, "until": until, "scope": scope,
            "rescanned": False, "detail": {},
        }  # fmt: skip
        self._recorder(EventType.SENSOR_LOST, data, sensor="agent", key=f"{sensor}:{until}")
        return Owed(sensor=sensor, cause=cause, scope=scope, since=since, until=until, detail={})

    def stopped(self) -> None:
        """Record the end."""
        now = timestamp(self._clock.now())
        self._recorder(EventType.AGENT_STOPPED, {"reason": "asked to"}, sensor="agent", key=f"stopped:{now}")
        self._spool.remember(_ALIVE, now.encode())
