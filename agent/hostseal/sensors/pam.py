"""What the PAM hook hands over, as events and as the standing before the shell starts (law 1)."""

import time
from typing import Any

from hostseal.core import standing
from hostseal.core.event import EventType
from hostseal.core.ssh_key import from_auth_info
from hostseal.core.text import faithful
from hostseal.errors import SpoolError
from hostseal.gate_keeper import GateKeeper
from hostseal.open_sessions import OpenSessions
from hostseal.pipeline import Pipeline
from hostseal.recorder import Recorder
from hostseal.sensors.pam_message import Login, Verdict
from hostseal.spool.sqlite import SqliteSpool
from hostseal.standing_file import StandingFile

DECISION_SECONDS = 1.5
_PHASES = {
    "account": EventType.LOGIN_REQUESTED,
    "open_session": EventType.SESSION_OPENED,
    "close_session": EventType.SESSION_CLOSED,
}


class PamSensor:
    """Takes the hook's messages; answers only when the observation, and for an opened session the standing, is on disk."""

    def __init__(
        self,
        recorder: Recorder,
        pipeline: Pipeline,
        spool: SqliteSpool,
        flag: StandingFile,
        sessions: OpenSessions,
        gate: GateKeeper,
    ) -> None:
        self._recorder, self._pipeline, self._spool = recorder, pipeline, spool
        self._flag, self._sessions, self._gate = flag, sessions, gate

    def take(self, login: Login) -> Verdict:
        """Record one phase of one login and answer. Raises ValueError for a phase that is none, SpoolError when it cannot."""
        if login.phase not in _PHASES:
            raise ValueError(f"{login.phase!r} is not one of PAM's phases {', '.join(_PHASES)}")
        kind, deadline = _PHASES[login.phase], time.monotonic() + DECISION_SECONDS
        data = login_data(login, kind)
        if kind is EventType.SESSION_OPENED:
            self._sessions.opened(data)
        identity = self._recorder(kind, data, sensor="pam", key=f"{login.phase}:{login.pid}:{login.time!r}")
        if kind is EventType.SESSION_CLOSED:
            self._sessions.closed(data)
            return Verdict()
        task = self._spool.task(identity)
        if task is None:
            raise SpoolError(f"event {identity} is recorded and not in the spool")
        verdict = self._gate.answer(task.event)
        if kind is EventType.SESSION_OPENED:
            if verdict.admitted:
                self._settle(identity, deadline)
            else:
                self._sessions.refused(data)
        return verdict

    def _settle(self, identity: str, deadline: float) -> None:
        wait = max(0.0, deadline - time.monotonic())
        if self._pipeline.settled(identity, wait) or self._recorder.host.mode == "observe":
            return
        task = self._spool.task(identity)
        if task is not None:
            self._flag.change(lambda now: standing.provisional(now, task.event))


def login_data(login: Login, kind: EventType) -> dict[str, Any]:
    """Return the event's data from what the hook saw."""
    pam = {name.decode("ascii"): faithful(value) for name, value in login.pam.items()}
    connection = pam.get("SSH_CONNECTION")
    source = pam.get("PAM_RHOST") or (connection.split()[0] if connection else None)
    common = {
        "user": pam["PAM_USER"],
        "service": pam.get("PAM_SERVICE", "sshd"),
        "source": source,
        "connection": connection,
    }
    if kind is EventType.LOGIN_REQUESTED:
        return {**common, "offered": offered_certificate(login.offered)}
    return {
        **common,
        "audit_session": login.audit_session,
        "login_uid": login.login_uid,
        "logind_session": pam.get("XDG_SESSION_ID"),
        "key": from_auth_info(pam.get("SSH_AUTH_INFO_0", "")),
        "leader_pid": login.pid,
        "seen_by": "pam",
    }


def offered_certificate(line: bytes) -> dict[str, Any] | None:
    """Return the certificate in sshd's words `publickey TYPE BASE64`, None when there is none that can be read."""
    key = from_auth_info(faithful(line)) if line else None
    return None if key is None else key["certificate"]
