"""Looks at what the processes of open SSH sessions do, and reports what no login line tells."""

import pwd
import queue
import threading
from collections.abc import Callable
from typing import Any

from hostseal.core import watching
from hostseal.core.event import Event, EventType
from hostseal.core.processes import Interactive, Process, changes_of_user, interactive_programs
from hostseal.core.watching import Watched
from hostseal.ports import Clock, Emit
from hostseal.sensors.proc_table import processes

SENSOR = "processes"
KEPT = 4096
NAMED = 50
_IDLE_SECONDS = 60.0
_REST = 10
"""A look is followed by a rest of that many times its length: at most a tenth of one CPU, however many logins come."""

Look = Callable[[set[int]], dict[int, Process]]


class SessionProcesses:
    """Sleeps while no session is open; woken by what is recorded, it looks at rising intervals."""

    def __init__(self, emit: Emit, clock: Clock, look: Look = processes) -> None:
        self._emit, self._clock, self._look = emit, clock, look
        self._news: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._watched: dict[int, Watched] = {}
        self._rest_until = 0.0

    def told(self, event: Event) -> None:
        """Take note of what was recorded; returns at once."""
        if event.type in {EventType.SESSION_OPENED, EventType.SESSION_CHANNEL, EventType.SESSION_CLOSED}:
            self._news.put(event)

    def wake(self) -> None:
        """Let :meth:`run` see that it is to stop."""
        self._news.put(None)

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop` is set and :meth:`wake` is called."""
        while not stop.is_set():
            self._take(self._pause())
            now = self._clock.monotonic()
            if any(session.due <= now for session in self._watched.values()) and now >= self._rest_until:
                self._look_at_all(now)
                after = self._clock.monotonic()
                self._rest_until = after + _REST * (after - now)

    def _pause(self) -> float:
        due = min((session.due for session in self._watched.values()), default=float("inf"))
        return min(_IDLE_SECONDS, max(due, self._rest_until) - self._clock.monotonic())

    def _take(self, seconds: float) -> None:
        try:
            event = self._news.get(timeout=max(0.0, seconds))
            while event is not None:
                self._note(event)
                event = self._news.get_nowait()
        except queue.Empty:
            return

    def _note(self, event: Event) -> None:
        audit, now = event.audit_session, self._clock.monotonic()
        if audit is None:
            return
        known = self._watched.get(audit)
        match event.type:
            case EventType.SESSION_OPENED:
                self._watched[audit] = watching.opened(event.data, now)
                self._bound()
            case EventType.SESSION_CHANNEL if known is not None:
                terminal = event.data.get("pty") is not None
                self._watched[audit] = watching.channel(known, event.data["kind"], now, terminal=terminal)
            case EventType.SESSION_CLOSED if known is not None:
                self._watched[audit] = watching.closed(known, now)

    def _bound(self) -> None:
        if len(self._watched) > KEPT:
            del self._watched[next(iter(self._watched))]

    def _look_at_all(self, now: float) -> None:
        tables: dict[int, dict[int, Process]] = {audit: {} for audit in self._watched}
        for process in self._look(set(tables)).values():
            if process.audit_session is not None:
                tables[process.audit_session][process.pid] = process
        for audit, table in tables.items():
            session = self._watched[audit]
            session = self._left_behind(audit, session, table) if session.closed else session
            session = self._interactive(audit, session, table, now)
            session = self._privilege(audit, session, table)
            session = watching.looked(session, now) if session.due <= now else session
            if session.closed and not session.looks:
                del self._watched[audit]
            else:
                self._watched[audit] = session

    def _interactive(self, audit: int, session: Watched, table: dict[int, Process], now: float) -> Watched:
        for found in interactive_programs(table):
            if found.login_shell:
                session = watching.login_shell(session, found.program.name, now)
                if watching.unexplained(session, now) == 0:
                    continue
            root = found.root.name if found.root is not None else (0, 0)
            key = f"interactive:{audit}:{root[0]}:{root[1]}"
            if key not in session.said:
                self._channel(session, found, key)
                session = watching.said(session, key)
        return session

    def _channel(self, session: Watched, found: Interactive, key: str) -> None:
        data = {
            "session": session.data,
            "user": session.data["user"],
            "source": session.data["source"],
            "kind": "interactive_command",
            "subsystem": None,
            "pty": None,
            "confidence": str(found.confidence),
            "number": None,
        }
        self._emit(EventType.SESSION_CHANNEL, data, sensor=SENSOR, key=key)

    def _privilege(self, audit: int, session: Watched, table: dict[int, Process]) -> Watched:
        for change in changes_of_user(table):
            key = f"privilege:{audit}:{change.target}:{change.via}"
            if key in session.said:
                continue
            data = {
                "session": session.data,
                "user": session.data["user"],
                "target": user_name(change.target),
                "via": change.via,
                "pid": change.pid,
                "confidence": str(change.confidence),
            }
            self._emit(EventType.SESSION_PRIVILEGE, data, sensor=SENSOR, key=key)
            session = watching.said(session, key)
        return session

    def _left_behind(self, audit: int, session: Watched, table: dict[int, Process]) -> Watched:
        left = frozenset(process.name for process in table.values())
        if not left or left == session.left:
            return session
        named = [{"pid": p.pid, "exe": p.exe, "uid": p.effective_uid} for p in table.values()]
        data: dict[str, Any] = {
            "session": session.data,
            "processes": named[:NAMED],
            "count": len(named),
            "confidence": "exact",
        }
        first = min(left)
        self._emit(
            EventType.SESSION_LEFT_BEHIND,
            data,
            sensor=SENSOR,
            key=f"left:{audit}:{len(session.looks)}:{first}",
        )
        return watching.left(session, left)


def user_name(uid: int) -> str:
    """Return the user's name, or the number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
