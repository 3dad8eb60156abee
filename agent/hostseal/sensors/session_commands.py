"""Batches what is executed in sessions into `session.commands` events; only where the site has switched it on."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from hostseal.core.attribution import Confidence, ProcessFacts
from hostseal.core.event import EventType, timestamp
from hostseal.core.masking import masked
from hostseal.core.processes import Process
from hostseal.ports import Clock, Emit
from hostseal.sensors.session_reports import SENSOR

BATCH_SECONDS = 5.0
BATCH = 100
ARGUMENT = 1024
"""Characters kept of one argument; what is longer ends in an ellipsis."""


class SessionCommands:
    """Collects, by session; a batch leaves when it is old or full. `missed` counts what came faster than it could be read."""

    def __init__(self, emit: Emit, clock: Clock) -> None:
        self._emit, self._clock = emit, clock
        self._batches: dict[int, list[dict[str, Any]]] = {}
        self._missed: dict[int, int] = {}
        self._since: dict[int, float] = {}
        self._serial = 0
        self._born = clock.monotonic()

    @property
    def due(self) -> float:
        """When the oldest batch is due, in monotonic seconds; never, while there is none."""
        return min(self._since.values(), default=float("inf")) + BATCH_SECONDS

    def add(self, audit: int, facts: ProcessFacts, process: Process | None, when: datetime) -> None:
        """Take one command; `process` is None when it had ended before its arguments could be read."""
        argv = None if process is None else list(masked([_short(word) for word in process.argv]))
        uid = facts.uid if process is None else process.effective_uid
        entry = {"time": timestamp(when), "pid": facts.pid, "uid": uid, "exe": facts.exe, "argv": argv}
        self._batches.setdefault(audit, []).append(entry)
        self._since.setdefault(audit, self._clock.monotonic())

    def missed(self, facts: ProcessFacts) -> None:
        """Count one that could not be looked at; may be called by another thread."""
        if facts.audit_session is not None:
            self._missed[facts.audit_session] = self._missed.get(facts.audit_session, 0) + 1
            self._since.setdefault(facts.audit_session, self._clock.monotonic())

    def flush(self, now: float, data: Callable[[int], dict[str, Any] | None]) -> None:
        """Emit the batches that are due at `now`; `data` gives a session's data."""
        for audit, since in list(self._since.items()):
            if now - since < BATCH_SECONDS and len(self._batches.get(audit, ())) < BATCH:
                continue
            commands, missed = self._batches.pop(audit, []), self._missed.pop(audit, 0)
            self._since.pop(audit, None)
            session = data(audit)
            if session is not None:
                self._report(session, commands, missed)

    def _report(self, session: dict[str, Any], commands: list[dict[str, Any]], missed: int) -> None:
        whole = not missed and all(entry["argv"] is not None for entry in commands)
        event = {
            "session": session,
            "commands": commands,
            "missed": missed,
            "confidence": str(Confidence.EXACT if whole else Confidence.INFERRED),
        }
        key = f"commands:{self._born:.6f}:{self._serial}"
        self._serial += 1
        self._emit(EventType.SESSION_COMMANDS, event, sensor=SENSOR, key=key)


def _short(word: str) -> str:
    return word if len(word) <= ARGUMENT else word[:ARGUMENT] + "\u2026"
