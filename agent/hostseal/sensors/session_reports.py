"""Says, once each, what the processes of a session show: an event for what no login line tells."""

import pwd
from typing import Any

from hostseal.core import watching
from hostseal.core.event import EventType
from hostseal.core.processes import Process, changes_of_user, uses
from hostseal.core.session import name_of
from hostseal.core.watching import Watched
from hostseal.open_sessions import OpenSessions
from hostseal.ports import Emit

SENSOR = "processes"
NAMED = 50

Table = dict[int, Process]


class SessionReports:
    """Turns tables of processes into events; each method returns the session with what has now been said of it.

    A table may hold some of the session's processes only, if it holds the way from each up to sshd.
    """

    def __init__(self, emit: Emit, sessions: OpenSessions) -> None:
        self._emit, self._sessions = emit, sessions

    def channels(self, audit: int, session: Watched, table: Table, now: float) -> Watched:
        """Report what each channel without a terminal turned out to be used for."""
        for found in uses(table):
            if found.login_shell:
                session = watching.login_shell(session, found.program.name, now)
                if not watching.in_disguise(session, found.program.name, now):
                    continue
            keys = [f"{found.kind}:{audit}:{process.pid}:{process.start}" for process in found.named]
            if session.has_said_enough or session.said.intersection(keys):
                continue
            data = {
                "session": session.data,
                "user": session.data["user"],
                "source": session.data["source"],
                "kind": str(found.kind),
                "subsystem": None,
                "pty": None,
                "confidence": str(found.confidence),
                "number": None,
            }
            self._emit(EventType.SESSION_CHANNEL, data, sensor=SENSOR, key=keys[0])
            self._sessions.channel(name_of(session.data), None, found.kind)
            session = watching.said(session, *keys)
        return session

    def privilege(self, audit: int, session: Watched, table: Table, now: float) -> Watched:
        """Report each other user that a process of the session acts for."""
        for change in changes_of_user(table):
            if change.via is None:
                process = table[change.pid].name
                session = watching.orphan(session, process, now)
                if not watching.is_lasting(session, process, now):
                    continue
            key = privilege_key(audit, change.target, change.via)
            if key not in session.said and not session.has_said_enough:
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

    def left_behind(self, audit: int, session: Watched, table: Table) -> Watched:
        """Report what still runs of a session that has ended, if it is not what was reported last."""
        left = frozenset(process.name for process in table.values())
        if not left or left == session.left:
            return session
        data: dict[str, Any] = {
            "session": session.data,
            "processes": [{"pid": p.pid, "exe": p.exe, "uid": p.effective_uid} for p in table.values()][
                :NAMED
            ],
            "count": len(table),
            "confidence": "exact",
        }
        key = f"left:{audit}:{min(left)}:{len(session.looks)}"
        self._emit(EventType.SESSION_LEFT_BEHIND, data, sensor=SENSOR, key=key)
        return watching.left(session, left)


def privilege_key(audit: int, target: int, via: str | None) -> str:
    """Return the key of a change of user: the journal and the processes see the same one and make one event of it."""
    return f"privilege:{audit}:{target}:{via}"


def user_name(uid: int) -> str:
    """Return the user's name, or the number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
