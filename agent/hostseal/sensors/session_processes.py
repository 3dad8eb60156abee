"""Looks at what the processes of open SSH sessions do: at rising intervals, and whenever one of them executes a program."""

import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from hostseal.core import watching
from hostseal.core.attribution import ProcessFacts
from hostseal.core.event import Event, EventType
from hostseal.core.pace import Pace
from hostseal.core.processes import Process, may_tell
from hostseal.core.watching import Watched
from hostseal.open_sessions import OpenSessions
from hostseal.ports import Clock, Emit
from hostseal.sensors.proc_table import line_of, processes
from hostseal.sensors.session_commands import SessionCommands
from hostseal.sensors.session_reports import SessionReports

KEPT = 4096
_IDLE_SECONDS = 60.0
_REST = 10
"""A look is followed by a rest of that many times its length: at most a tenth of one CPU, however many logins come."""

EXECS_PER_SECOND = 200.0
OTHERS_PER_SECOND = 50.0
_PAUSES = (0.0, 0.0005, 0.001, 0.002)
"""The kernel tells of a program before it has replaced the one that ran: seconds to wait for that."""

Line = dict[int, Process]
Look = Callable[[set[int]], dict[int, Process]]


class OnRecord(NamedTuple):
    """A session that was recorded before the agent started, and whether it was over then."""

    data: dict[str, Any]
    ended: bool


class Executed(NamedTuple):
    """A process that has begun to execute `facts.exe`, and what /proc said just then of it and of those above it."""

    facts: ProcessFacts
    line: Line


class SessionProcesses:
    """Sleeps while no session is open; woken by what is recorded and by what the file sensor sees executed."""

    def __init__(
        self,
        emit: Emit,
        sessions: OpenSessions,
        clock: Clock,
        look: Look = processes,
        commands: SessionCommands | None = None,
    ) -> None:
        self._clock, self._look, self._commands = clock, look, commands
        self._reports = SessionReports(emit, sessions)
        self._news: queue.SimpleQueue[Event | Executed | OnRecord | None] = queue.SimpleQueue()
        self._watched: dict[int, Watched] = {}
        self._pace, self._other_pace = Pace(EXECS_PER_SECOND), Pace(OTHERS_PER_SECOND)
        self._rest_until = 0.0

    def told(self, event: Event) -> None:
        """Take note of what was recorded; returns at once."""
        if event.type in {EventType.SESSION_OPENED, EventType.SESSION_CHANNEL, EventType.SESSION_CLOSED}:
            self._news.put(event)

    def executed(self, process: ProcessFacts) -> None:
        """Take note that a process begins to execute `process.exe`; returns at once, and forgets what is of no concern."""
        session = self._watched.get(process.audit_session) if process.audit_session is not None else None
        if session is None:
            return
        # Any other program tells too, of the shell above it that waits for it; it is less urgent.
        telling = may_tell(process.exe) or process.uid != process.login_uid
        if not telling and self._commands is None and not self._other_pace.take(self._clock.monotonic()):
            return
        if self._pace.take(self._clock.monotonic()):
            # Read here as well, for it may be gone by the time the other thread is awake.
            self._news.put(Executed(process, line_of(process.pid)))
        elif self._commands is not None:
            self._commands.missed(process)

    def adopt(self, data: Mapping[str, Any]) -> None:
        """Watch a session that is on record already, and open still as the agent starts."""
        self._news.put(OnRecord(dict(data), ended=False))

    def ended(self, data: Mapping[str, Any]) -> None:
        """Look once more for what a session left behind that is on record and was over as the agent started."""
        self._news.put(OnRecord(dict(data), ended=True))

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
            if self._commands is not None:
                self._commands.flush(self._clock.monotonic(), self._data)
        if self._commands is not None:
            self._commands.flush(float("inf"), self._data)

    def _pause(self) -> float:
        now = self._clock.monotonic()
        due = min((session.due for session in self._watched.values()), default=float("inf"))
        pause = min(_IDLE_SECONDS, max(due, self._rest_until) - now)
        return pause if self._commands is None else min(pause, self._commands.due - now)

    def _data(self, audit: int) -> dict[str, object] | None:
        session = self._watched.get(audit)
        return None if session is None else session.data

    def _take(self, seconds: float) -> None:
        try:
            news = self._news.get(timeout=max(0.0, seconds))
            while news is not None:
                match news:
                    case Event():
                        self._note(news)
                    case Executed():
                        self._look_at_one(news)
                    case OnRecord():
                        self._on_record(news)
                news = self._news.get_nowait()
        except queue.Empty:
            return

    def _note(self, event: Event) -> None:
        audit, now = event.audit_session, self._clock.monotonic()
        if audit is None:
            return
        known = self._watched.get(audit)
        match event.type:
            case EventType.SESSION_OPENED if known is None:
                self._open(audit, event.data)
            case EventType.SESSION_CHANNEL if known is not None:
                self._watched[audit] = watching.channel(known, event.data["kind"], now)
            case EventType.SESSION_CLOSED if known is not None:
                self._watched[audit] = watching.closed(known, now)

    def _open(self, audit: int | None, data: dict[str, Any]) -> None:
        if audit is not None and audit not in self._watched:
            self._watched[audit] = watching.opened(data, self._clock.monotonic())
            if len(self._watched) > KEPT:
                del self._watched[next(iter(self._watched))]

    def _on_record(self, known: OnRecord) -> None:
        audit = known.data.get("audit_session")
        new = audit not in self._watched
        self._open(audit, known.data)
        if audit is not None and new and known.ended:
            self._watched[audit] = watching.closed(self._watched[audit], self._clock.monotonic())

    def _look_at_one(self, executed: Executed) -> None:
        facts, audit = executed.facts, executed.facts.audit_session
        session = self._watched.get(audit) if audit is not None else None
        if audit is None or session is None:
            return
        line = _settled(executed)
        if self._commands is not None:
            self._commands.add(audit, facts, line.get(facts.pid), self._clock.now())
        if facts.pid in line:
            now = self._clock.monotonic()
            session = self._reports.channels(audit, session, line, now)
            self._watched[audit] = self._reports.privilege(audit, session, line, now)

    def _look_at_all(self, now: float) -> None:
        tables: dict[int, dict[int, Process]] = {audit: {} for audit in self._watched}
        for process in self._look(set(tables)).values():
            if process.audit_session in tables:
                tables[process.audit_session][process.pid] = process
        for audit, table in tables.items():
            session = self._watched[audit]
            if session.closed and session.due <= now:
                session = self._reports.left_behind(audit, session, table)
            session = self._reports.channels(audit, session, table, now)
            session = self._reports.privilege(audit, session, table, now)
            session = watching.looked(session, now) if session.due <= now else session
            if session.closed and not session.looks:
                del self._watched[audit]
            else:
                self._watched[audit] = session


def _settled(executed: Executed) -> Line:
    """Return the process and those above it, once it runs the program that it was said to execute; empty if it never does."""
    pid, line = executed.facts.pid, executed.line
    for pause in (*_PAUSES, None):
        if pid not in line:
            return {}
        if line[pid].exe == executed.facts.exe and line[pid].argv:
            return line
        if pause is not None:
            time.sleep(pause)
            line = line_of(pid)
    return {}
