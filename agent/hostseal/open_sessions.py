"""The table of open SSH sessions, shared by the sensors, and the forwards it finds by their silence."""

import threading
from typing import Any

from hostseal.core.event import EventType
from hostseal.core.session import Sessions
from hostseal.ports import Clock, Emit


class OpenSessions:
    """A lock around the pure table."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._table = Sessions()
        self.changed = threading.Event()

    def opened(self, audit: int, data: dict[str, Any]) -> None:
        """Note a session that PAM has opened."""
        with self._lock:
            self._table = self._table.opened(audit, data, self._clock.monotonic())
        self.changed.set()

    def adopted(self, audit: int, data: dict[str, Any]) -> None:
        """Note a session that began before the agent: its channels may have been missed, so none is waited for."""
        with self._lock:
            self._table = self._table.opened(audit, data, self._clock.monotonic()).channel(audit)

    def channel(self, audit: int) -> None:
        """Note that a channel was seen."""
        with self._lock:
            self._table = self._table.channel(audit)

    def refused(self, audit: int) -> None:
        """Note that the gate has refused a session: no channel of it will come."""
        with self._lock:
            self._table = self._table.channel(audit).closed(audit, self._clock.monotonic())

    def closed(self, audit: int) -> None:
        """Note a session's end."""
        with self._lock:
            self._table = self._table.closed(audit, self._clock.monotonic())
        self.changed.set()

    def data(self, audit: int) -> dict[str, Any] | None:
        """Return what PAM said of a session."""
        with self._lock:
            return self._table.data(audit)

    def report_silent(self, emit: Emit) -> float | None:
        """Report the sessions that stayed without a channel; return the seconds until the next may be due."""
        now = self._clock.monotonic()
        with self._lock:
            silent = [(audit, self._table.data(audit)) for audit in self._table.silent(now)]
        for audit, session in silent:
            data = {
                "session": session,
                "user": (session or {}).get("user", ""),
                "source": (session or {}).get("source"),
                "kind": "forward",
                "subsystem": None,
                "pty": None,
                "confidence": "inferred",
                "number": None,
            }
            emit(EventType.SESSION_CHANNEL, data, sensor="pam", key=f"no-channel:{audit}")
            self.channel(audit)
        with self._lock:
            due = self._table.next_due()
        return None if due is None else max(0.05, due - self._clock.monotonic())
