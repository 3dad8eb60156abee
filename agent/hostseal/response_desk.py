"""Takes an operator's wish to lock SSH down or to end a session: recorded as an event, and judged by the policy."""

import hashlib
from collections.abc import Mapping
from typing import Any

from hostseal.core.event import EventType
from hostseal.core.lockdown import Level
from hostseal.core.text import shown
from hostseal.errors import OperatorError
from hostseal.open_sessions import OpenSessions
from hostseal.operator_desk import DECISION_SECONDS, text
from hostseal.pipeline import Pipeline
from hostseal.ports import Emit
from hostseal.spool.records import TaskState
from hostseal.spool.sqlite import SqliteSpool

_LEVELS = tuple(str(level) for level in Level if level is not Level.OPEN)


class ResponseDesk:
    """Puts the wish into the spool and waits a moment for the policy's word on it."""

    def __init__(self, emit: Emit, pipeline: Pipeline, spool: SqliteSpool, sessions: OpenSessions) -> None:
        self._emit, self._pipeline, self._spool, self._sessions = emit, pipeline, spool, sessions

    def take(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the receipt: the event, whether it is new, what the policy made of it, and the lockdown level.

        `actions` and `would` are null while there is no decision. The same wish before the next release is the same
        event. Raises OperatorError when the wish cannot be read, or names a session that the agent does not know.
        """
        wish = self._wish(message)
        data = {**{name: text(message, name) for name in ("person", "reason")}, **wish}
        releases = self._pipeline.responses.lockdown.now.releases
        since = releases[-1].nonce if releases else ""
        named = (wish["session"] or {}).get("audit_session")
        parts = (data["person"], data["reason"], wish["wish"], str(wish["level"]), str(named), since)
        key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        before = self._spool.last_seq()
        identity = self._emit(EventType.OPERATOR_ASKED, data, sensor="operator", key=key)
        task = self._spool.task(identity)
        if task is None or task.state is not TaskState.DONE:
            self._pipeline.settled(identity, DECISION_SECONDS)
        after = self._spool.task(identity)
        decision = after.decision if after is not None else None
        return {
            "ok": True,
            "id": identity,
            "new": task is not None and task.event.seq > before,
            "actions": None if decision is None else [str(action) for action in decision.actions],
            "would": None if decision is None else [str(action) for action in decision.would],
            "level": str(self._pipeline.responses.lockdown.now.level),
        }

    def _wish(self, message: Mapping[str, Any]) -> dict[str, Any]:
        wish, level, session = message.get("wish"), message.get("level"), message.get("session")
        if wish == "lockdown":
            if level not in _LEVELS:
                raise OperatorError(f"{shown(str(level))!r} is not one of {', '.join(_LEVELS)}")
            return {"wish": wish, "level": level, "session": None}
        if wish == "terminate_session":
            known = self._sessions.data(session) if isinstance(session, int) else None
            if known is None:
                raise OperatorError(
                    f"no SSH session {shown(str(session))} is known",
                    hint="its audit session id stands in `hostseal log` and `loginctl show-session`",
                )
            return {"wish": wish, "level": None, "session": known}
        raise OperatorError(f"{shown(str(wish))!r} is not one of lockdown, terminate_session")
