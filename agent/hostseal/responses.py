"""The responses on SSH: which actions follow from a decision, and what their playbooks find in their folders."""

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from hostseal.actions.request import ActionFolder
from hostseal.core import lockdown as levels
from hostseal.core.backoff import delay
from hostseal.core.decision import Action, Decision
from hostseal.core.event import Event, EventType, Host, timestamp
from hostseal.core.ids import action_id
from hostseal.core.lockdown import DROP_IN, Level
from hostseal.core.responses import RELEASE, Target, is_lockdown, session_of, target
from hostseal.errors import LockdownError
from hostseal.lockdown_file import LockdownFile
from hostseal.ports import Clock
from hostseal.spool.records import ActionState, ActionTask
from hostseal.spool.sqlite import SqliteSpool
from hostseal.steps import Listener, Step

OpenSshSessions = Callable[[], Iterable[dict[str, Any]]]
_REPAIR_BASE_SECONDS = 60.0
_REPAIR_CAP_SECONDS = 3600.0


class Responses:
    """Keeps the lockdown's level on disk and queues the playbooks that end sessions and shut or open SSH."""

    def __init__(
        self,
        spool: SqliteSpool,
        lockdown: LockdownFile,
        clock: Clock,
        listener: Listener,
        state: Path,
        open_sessions: OpenSshSessions,
        *,
        drop_in: Path = Path(DROP_IN),
    ) -> None:
        self.lockdown = lockdown
        self._spool, self._clock, self._listener, self._state = spool, clock, listener, state
        self._open_sessions, self._drop_in = open_sessions, drop_in
        self._repairs, self._next_repair = 0, 0.0

    def act(self, event: Event, decision: Decision, incident: str, moment: datetime) -> bool:
        """Write down and queue what follows from a decision; return whether anything was queued. A repeat changes nothing."""
        queued = False
        if Action.TERMINATE_SESSION in decision.actions:
            queued = self._terminate(session_of(event), event.id, event.host, incident)
        if levels.asked(decision) is not Level.OPEN:
            now, _ = self.lockdown.change(
                lambda before: levels.raised(before, event, decision, incident, moment)
            )
            action = levels.action_for(now.level)
            if now.seq == event.seq and action is not None:
                queued |= self._queue(action, now.incident or incident, event.id, event.host, event.id)
        if event.type is EventType.LOCKDOWN_RELEASED and event.data.get("how") == "signed":
            now, _ = self.lockdown.change(lambda before: levels.released(before, event))
            if now.seq == event.seq:
                queued |= self._queue(RELEASE, event.data["incident"], event.id, event.host, event.id)
        return queued

    def superseded(self, task: ActionTask) -> bool:
        """Return whether the level has moved on since an action was queued."""
        level = self.lockdown.now.level
        if task.action == RELEASE:
            return level is not Level.OPEN
        return is_lockdown(task.action) and task.action != levels.action_for(level)

    def prepare(self, task: ActionTask) -> dict[str, str | None]:
        """Write what the action's playbook reads into its folder; return path -> SHA-256 it will then have, None for absent.

        Raises LockdownError when what is asked for cannot be put into sshd's settings.
        """
        if task.action == RELEASE:
            return {DROP_IN: None}
        if not is_lockdown(task.action):
            return {}
        folder = ActionFolder(self._state, task.id)
        now = self.lockdown.now
        body = levels.drop_in(now.level, now.terms) or b""
        plan = {
            "level": str(now.level),
            "probes": levels.probes(now.level, now.terms),
            "without_break_glass": now.terms.without_break_glass,
        }
        # sshd takes the first value of each setting: ours, then all that stands in its settings today.
        candidate = f"Include {folder.path}/lockdown.conf\nInclude /etc/ssh/sshd_config\n"
        folder.put("lockdown.conf", body)
        folder.put("candidate.conf", candidate.encode())
        folder.put("plan.json", msgspec.json.encode(plan))
        return {DROP_IN: hashlib.sha256(body).hexdigest()}

    def finished(self, task: ActionTask, host: Host) -> None:
        """Follow up on a level that is in force: end the sessions that were open before, where the site says so."""
        self._repairs, self._next_repair = 0, 0.0
        now = self.lockdown.now
        if now.terms.existing_sessions != "terminate":
            return
        for session in self._open_sessions():
            if not levels.is_automation(session, now.terms) and not levels.is_break_glass(session, now.terms):
                self._terminate(session, task.event, host, task.incident)

    def repair(self, host: Host) -> bool:
        """Queue what puts the level in force again when sshd's drop-in is not what it should be; return whether it was queued.

        The pace falls while that does not help. An open host is opened again only after a release on record: one whose
        record is lost stays as it is.
        """
        now = self.lockdown.now
        action: str | None = levels.action_for(now.level)
        incident = now.incident or ""
        if now.releases and now.level is Level.OPEN:
            action, incident = RELEASE, now.releases[-1].incident
        if action is None or self.in_force() or self._clock.monotonic() < self._next_repair:
            return False
        if self._spool.unfinished_actions(incident, action):
            return False
        self._repairs += 1
        self._next_repair = self._clock.monotonic() + delay(
            self._repairs, base=_REPAIR_BASE_SECONDS, cap=_REPAIR_CAP_SECONDS
        )
        moment = timestamp(self._clock.now())
        return self._queue(action, incident, f"repair at {moment}", host, moment)

    def in_force(self) -> bool:
        """Return whether sshd's drop-in is, byte by byte, the one of the level."""
        now = self.lockdown.now
        try:
            found: bytes | None = self._drop_in.read_bytes()
        except OSError:
            found = None
        try:
            return found == levels.drop_in(now.level, now.terms)
        except LockdownError:
            return False

    def _terminate(self, session: dict[str, Any] | None, event: str, host: Host, incident: str) -> bool:
        named = target(session, host.boot_id)
        if named is None:
            self._listener(
                Step.ACTION_FAILED, action=Action.TERMINATE_SESSION, error="the session is not known"
            )
            return False
        key = f"{named.boot_id}:{named.audit_session}"
        return self._queue(Action.TERMINATE_SESSION, incident, event, host, key, named)

    def _queue(
        self, action: str, incident: str, event: str, host: Host, key: str, named: Target | None = None
    ) -> bool:
        task = ActionTask(
            id=action_id(host.machine_id, host.boot_id, key, action),
            action=str(action),
            incident=incident,
            event=event,
            created=timestamp(self._clock.now()),
            state=ActionState.QUEUED,
        )
        if named is not None:
            ActionFolder(self._state, task.id).put("session.json", msgspec.json.encode(named))
        self._spool.queue_action(task)
        self._listener(Step.QUEUED, id=event, action=action, action_id=task.id, incident=incident)
        return True
