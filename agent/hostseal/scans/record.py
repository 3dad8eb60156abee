"""Puts on record what scans find and what the manifest is held for, however long the spool refuses it."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from hostseal.core import backoff
from hostseal.core.event import EventType
from hostseal.core.scan_plan import Job
from hostseal.core.seal_compare import Difference
from hostseal.core.text import faithful
from hostseal.errors import SpoolError
from hostseal.ports import Clock, Emit, Seal
from hostseal.scans.belief import Belief
from hostseal.scans.child import Ended
from hostseal.scans.owed import Owed
from hostseal.seal.told import Found

SENSOR = "seal"


class Record:
    """Each call returns when the event is on disk, or `stop` is set."""

    def __init__(self, emit: Emit, clock: Clock) -> None:
        self._emit, self._born, self._serial = emit, clock.monotonic(), 0

    def put(self, kind: EventType, data: Mapping[str, Any], stop: threading.Event) -> None:
        """Record an event."""
        failed = 0
        while not stop.is_set():
            try:
                self._emit(str(kind), data, sensor=SENSOR, key=f"{self._born:.6f}/{self._serial}")
            except SpoolError:
                failed += 1
                stop.wait(backoff.delay(failed))
                continue
            self._serial += 1
            return

    def untrusted(self, found: Belief, manifest: str, stop: threading.Event) -> None:
        """Record that the manifest cannot be believed, and why."""
        data = {"cause": found.cause, "manifest": manifest, "detail": found.detail}
        self.put(EventType.SEAL_UNTRUSTED, data, stop)

    def broken(
        self, job: Job, ended: Ended, found: Found, seal: Seal, seconds: float, stop: threading.Event
    ) -> None:
        """Record in what the host differs from its seal."""
        data = {
            "cause": str(job.cause),
            "image": seal.image,
            "manifest": seal.manifest,
            "scope": [faithful(path) for path in job.scope],
            "differences": [_named(one) for one in found.first],
            "count": found.count,
            "known": found.known,
            "truncated": found.count > len(found.first),
            "complete": ended.summary is not None,
            "entries": ended.summary.entries if ended.summary is not None else 0,
            "seconds": round(seconds, 3),
        }
        self.put(EventType.SEAL_BROKEN, data, stop)

    def rescanned(self, losses: Sequence[Owed], found: int, stop: threading.Event) -> None:
        """Record that what losses concern was scanned, and how many differences there are."""
        for loss in losses:
            self.put(EventType.SENSOR_LOST, loss.rescanned(found), stop)

    def given_up(self, job: Job, why: str, losses: Sequence[Owed], stop: threading.Event) -> None:
        """Record that a scan was tried as often as it may be, and that the losses it was for stay unknown."""
        data = {
            "sensor": SENSOR,
            "cause": "scan_given_up",
            "since": None,
            "until": None,
            "scope": ", ".join(map(faithful, job.scope)),
            "rescanned": False,
            "detail": {"why": why, "attempts": job.attempts, "losses": [one.cause for one in losses]},
        }
        self.put(EventType.SENSOR_LOST, data, stop)


def _named(one: Difference) -> dict[str, str]:
    return {"path": one.path, "change": str(one.change), "sealed": one.sealed, "found": one.found}
