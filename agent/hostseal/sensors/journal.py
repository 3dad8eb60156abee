"""Follows sshd's lines in the journal, by cursor over restarts; reports each channel and each login it tells of."""

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
from hostseal.core.session import Name
from hostseal.core.sshd_lines import SSHD_NAMES, Admitted, Channel, Monitor, Reader, Seen, admitted, read
from hostseal.core.text import faithful
from hostseal.open_sessions import OpenSessions, client
from hostseal.ports import Emit
from hostseal.sensors.certificates import CertificateWitness
from hostseal.sensors.session_reports import SENSOR as PROCESSES
from hostseal.sensors.session_reports import privilege_key
from hostseal.spool.sqlite import SqliteSpool
from hostseal.witnesses import Witnesses

JOURNAL_DROPPED = "a596d6fe7bfa4994828e72309e95d61e"
_MEMORY = "journal"
_WAKE_SECONDS = 60.0
_REMEMBER_SECONDS = 10.0
_FIELDS = (
    "MESSAGE", "MESSAGE_ID", "SYSLOG_IDENTIFIER", "_COMM", "_EXE", "_PID", "_UID", "_AUDIT_SESSION", "_BOOT_ID",
    "__CURSOR",
)  # fmt: skip


class Memory(msgspec.Struct, frozen=True):
    """Where reading stopped, and which connections sshd had let in on that boot."""

    cursor: str
    monitors: dict[int, Monitor] = {}
    boot: str = ""


class JournalSensor:
    """Second witness of logins: which there were, and what kind of channel each opened."""

    def __init__(
        self,
        emit: Emit,
        spool: SqliteSpool,
        sessions: OpenSessions,
        witnesses: Witnesses,
        boot: str,
        *,
        path: str | None = None,
    ) -> None:
        self._emit, self._spool, self._sessions, self._path = emit, spool, sessions, path
        self._certificates = CertificateWitness(emit)
        self._witnesses, self._boot = witnesses, boot.replace("-", "")
        self._earlier, self._remembered = Reader(), 0.0

    def run(self, stop: threading.Event) -> None:
        """Follow until `stop` is set. Raises OSError when the journal cannot be read."""
        reader = self._open()
        stored = self._spool.recall(_MEMORY)
        memory = msgspec.json.decode(stored, type=Memory) if stored else None
        known = Reader(memory.monitors if memory and memory.boot == self._boot else {})
        self._earlier = Reader(memory.monitors if memory and memory.boot != self._boot else {})
        self._seek(reader, memory)
        known = self._recall(known)
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
            for field in ("_COMM", "SYSLOG_IDENTIFIER"):
                reader.add_match(**{field: name})
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
            # What was logged before has not been read: these sessions cannot be confirmed.
            self._sessions.settled(*(session.name for session in self._sessions.all()))
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

    def _recall(self, known: Reader) -> Reader:
        """Confirm the sessions whose lines were read before a restart; learn the children that were named before that."""
        for leader in known.monitors:
            if self._sessions.known(Name(leader=leader)) is not None:
                self._sessions.witnessed(admitted(known, leader))
        for serving in self._witnesses.serving():
            if serving.leader not in known.monitors:
                known = known.knowing(serving.leader, user=serving.user, child=serving.child)
        return known

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
            self._certificates.take(fields, cursor, entry["__REALTIME_TIMESTAMP"].timestamp())
            if fields.get("_BOOT_ID") != self._boot:
                # Another boot's processes and sessions: what they did is told, but they are none of this boot's.
                self._earlier, seen = read(self._earlier, fields)
                if isinstance(seen, Channel):
                    self._report(seen, None, cursor)
                continue
            if (gained := privilege_lines.read(fields)) is not None:
                self._privilege(gained)
            known, seen = read(known, fields)
            self._take(seen, cursor)
            if isinstance(seen, Channel):
                self._remember(cursor, known)
        if cursor is not None and time.monotonic() - self._remembered > _REMEMBER_SECONDS:
            self._remember(cursor, known)
        return known

    def _remember(self, cursor: str, known: Reader) -> None:
        self._spool.remember(_MEMORY, msgspec.json.encode(Memory(cursor, known.monitors, self._boot)))
        self._remembered = time.monotonic()

    def _take(self, seen: Seen | None, cursor: str) -> None:
        match seen:
            case Channel():
                self._joined(seen, cursor)
            case Admitted():
                self._sessions.witnessed(seen)
            case None:
                pass
            case _:
                self._witnesses.forged(seen.uid, cursor)

    def _joined(self, channel: Channel, cursor: str) -> None:
        name = _name(channel)
        known = self._sessions.known(name)
        self._report(channel, None if known is None else known.data, cursor)
        seen = Admitted(
            leader=channel.leader,
            user=channel.user,
            source=channel.source,
            port=channel.port,
            detailed=True,
        )
        self._sessions.witnessed(seen)
        self._sessions.channel(name, channel.number, channel.kind)

    def _report(self, channel: Channel, session: Mapping[str, Any] | None, cursor: str) -> None:
        exact = session is not None and (session["user"], session["seen_by"]) == (channel.user, "pam")
        unseen = {
            "user": channel.user, "service": "sshd", "source": channel.source, "connection": None,
            "audit_session": channel.audit_session, "login_uid": None, "logind_session": None, "key": None,
            "leader_pid": channel.leader,
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
        self._witnesses.look()


def _name(channel: Channel) -> Name:
    return Name(
        leader=channel.leader, audit=channel.audit_session, client=client(channel.source, channel.port)
    )


def _plain(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(entry[name]) for name in _FIELDS if name in entry}


def _value(value: Any) -> Any:
    if isinstance(value, bytes):
        return faithful(value)
    return value.hex if hasattr(value, "hex") and not isinstance(value, int | float) else value
