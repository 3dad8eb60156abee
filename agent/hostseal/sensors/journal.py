"""Follows sshd's lines in the journal, by cursor over restarts, and reports each channel."""

import select
import threading
import time
from collections.abc import Mapping
from typing import Any

import msgspec
from systemd import journal

from hostseal.core import privilege_lines
from hostseal.core.event import EventType, timestamp
from hostseal.core.privilege_lines import Gained
from hostseal.core.sshd_lines import SSHD_NAMES, Channel, Reader, read
from hostseal.core.text import faithful
from hostseal.open_sessions import OpenSessions
from hostseal.ports import Emit
from hostseal.sensors.session_reports import SENSOR as PROCESSES
from hostseal.sensors.session_reports import privilege_key
from hostseal.spool.sqlite import SqliteSpool

JOURNAL_DROPPED = "a596d6fe7bfa4994828e72309e95d61e"
_MEMORY = "journal"
_WAKE_SECONDS = 60.0
_REMEMBER_SECONDS = 10.0
_FIELDS = ("MESSAGE", "MESSAGE_ID", "_COMM", "_EXE", "_PID", "_UID", "_AUDIT_SESSION", "__CURSOR")


class Memory(msgspec.Struct, frozen=True):
    """Where reading stopped, and which processes sshd had named."""

    cursor: str
    children: tuple[int, ...]


class JournalSensor:
    """Second witness of logins: what kind of channel each session opened."""

    def __init__(
        self, emit: Emit, spool: SqliteSpool, sessions: OpenSessions, *, path: str | None = None
    ) -> None:
        self._emit, self._spool, self._sessions, self._path = emit, spool, sessions, path
        self._remembered = 0.0

    def run(self, stop: threading.Event) -> None:
        """Follow until `stop` is set. Raises OSError when the journal cannot be read."""
        reader = self._open()
        stored = self._spool.recall(_MEMORY)
        memory = msgspec.json.decode(stored, type=Memory) if stored else None
        known = Reader(memory.children if memory else ())
        self._seek(reader, memory)
        poll = select.poll()
        poll.register(reader.fileno(), reader.get_events())
        while not stop.is_set():
            known = self._drain(reader, known)
            poll.poll(
                min(reader.get_timeout_ms() if reader.get_timeout_ms() >= 0 else 1e9, _WAKE_SECONDS * 1000)
            )
            reader.process()

    def _open(self) -> journal.Reader:
        reader = journal.Reader(path=self._path) if self._path else journal.Reader(flags=journal.LOCAL_ONLY)
        for name in sorted(SSHD_NAMES):
            reader.add_match(_COMM=name)
            reader.add_disjunction()
        for program in sorted(privilege_lines.PROGRAMS):
            reader.add_match(_EXE=program)
            reader.add_disjunction()
        reader.add_match(MESSAGE_ID=JOURNAL_DROPPED)
        return reader

    def _seek(self, reader: journal.Reader, memory: Memory | None) -> None:
        if memory is None:
            reader.seek_tail()
            reader.get_previous()
            return
        reader.seek_cursor(memory.cursor)
        entry = reader.get_next()
        if entry and entry.get("__CURSOR") == memory.cursor:
            return
        if entry:
            reader.get_previous()
        data = {
            "sensor": "journal",
            "cause": "the journal no longer holds the entry where reading stopped",
            "since": None,
            "until": None,
            "scope": "sshd's channels",
            "rescanned": False,
            "detail": {"cursor": memory.cursor},
        }
        self._emit(EventType.SENSOR_LOST, data, sensor="journal", key=f"gone:{memory.cursor}")

    def _drain(self, reader: journal.Reader, known: Reader) -> Reader:
        """Read what there is. Lines without a channel may be read again after a restart: each gives the same event."""
        cursor = None
        while entry := reader.get_next():
            fields = _plain(entry)
            cursor = str(fields["__CURSOR"])
            if fields.get("MESSAGE_ID") == JOURNAL_DROPPED:
                self._suppressed(fields, entry)
                self._remember(cursor, known)
                continue
            if (gained := privilege_lines.read(fields)) is not None:
                self._privilege(gained)
            known, channel = read(known, fields)
            if channel is not None:
                self._report(channel, cursor)
                self._remember(cursor, known)
        if cursor is not None and time.monotonic() - self._remembered > _REMEMBER_SECONDS:
            self._remember(cursor, known)
        return known

    def _remember(self, cursor: str, known: Reader) -> None:
        self._spool.remember(_MEMORY, msgspec.json.encode(Memory(cursor, known.children)))
        self._remembered = time.monotonic()

    def _report(self, channel: Channel, cursor: str) -> None:
        audit = channel.audit_session
        session = self._sessions.data(audit) if audit is not None else None
        exact = session is not None and session.get("user") == channel.user
        unseen = {
            "user": channel.user, "service": "sshd", "source": channel.source, "connection": None,
            "audit_session": audit, "login_uid": None, "logind_session": None, "key": None, "leader_pid": None,
            "seen_by": "journal",
        }  # fmt: skip
        data = {
            "session": session or unseen,
            "user": channel.user,
            "source": channel.source,
            "kind": channel.kind,
            "subsystem": channel.subsystem,
            "pty": channel.pty,
            "confidence": "exact" if exact else "inferred",
            "number": channel.number,
        }
        self._emit(EventType.SESSION_CHANNEL, data, sensor="journal", key=cursor)
        if audit is not None:
            self._sessions.channel(audit)

    def _privilege(self, gained: Gained) -> None:
        session = self._sessions.data(gained.audit_session)
        if session is None:
            return
        data = {
            "session": session,
            "user": session["user"],
            "target": gained.target,
            "via": gained.via,
            "pid": gained.pid,
            "confidence": "exact",
        }
        key = privilege_key(gained.audit_session, gained.target_uid, gained.via)
        self._emit(EventType.SESSION_PRIVILEGE, data, sensor=PROCESSES, key=key)

    def _suppressed(self, fields: Mapping[str, Any], entry: Mapping[str, Any]) -> None:
        moment = timestamp(entry["__REALTIME_TIMESTAMP"])
        data: dict[str, Any] = {
            "sensor": "journal",
            "cause": "journald suppressed messages",
            "since": None,
            "until": moment,
            "scope": str(fields.get("MESSAGE", "")),
            "rescanned": False,
            "detail": {},
        }
        self._emit(EventType.SENSOR_LOST, data, sensor="journal", key=str(fields["__CURSOR"]))


def _plain(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(entry[name]) for name in _FIELDS if name in entry}


def _value(value: Any) -> Any:
    if isinstance(value, bytes):
        return faithful(value)
    return value.hex if hasattr(value, "hex") and not isinstance(value, int | float) else value
