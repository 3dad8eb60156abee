"""Takes an operator's wish to flag the host: recorded as an event like any other, and judged by the policy."""

import hashlib
from collections.abc import Mapping
from typing import Any

from hostseal.core.event import EventType
from hostseal.core.text import shown
from hostseal.errors import OperatorError
from hostseal.pipeline import Pipeline
from hostseal.ports import Emit
from hostseal.spool.records import TaskState
from hostseal.spool.sqlite import SqliteSpool
from hostseal.standing_file import StandingFile

DECISION_SECONDS = 3.0
TEXT_LIMIT = 1000


class OperatorDesk:
    """Puts the wish into the spool and waits a moment for the policy's word on it."""

    def __init__(self, emit: Emit, pipeline: Pipeline, spool: SqliteSpool, flag: StandingFile) -> None:
        self._emit, self._pipeline, self._spool, self._flag = emit, pipeline, spool, flag

    def take(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the receipt: the event, whether it is new, whether it is decided yet, and the standing.

        The same wish before the next pardon is the same event, so asking twice changes nothing. Raises OperatorError when
        person or reason is missing or too long.
        """
        data = {name: text(message, name) for name in ("person", "reason")}
        pardons = self._flag.now.pardons
        since = pardons[-1].nonce if pardons else ""
        key = hashlib.sha256("\0".join([data["person"], data["reason"], since]).encode()).hexdigest()
        before = self._spool.last_seq()
        identity = self._emit(EventType.OPERATOR_FLAGGED, data, sensor="operator", key=key)
        task = self._spool.task(identity)
        settled = task is not None and task.state is TaskState.DONE
        return {
            "ok": True,
            "id": identity,
            "new": task is not None and task.event.seq > before,
            "decided": settled or self._pipeline.settled(identity, DECISION_SECONDS),
            "standing": str(self._flag.now.state),
        }


def text(message: Mapping[str, Any], name: str) -> str:
    """Return what an operator says under `name`; OperatorError when it is missing or too long."""
    said = message.get(name)
    if not isinstance(said, str) or not said.strip():
        raise OperatorError(f"{name} is missing", hint="say who asks for it, and why")
    if len(said) > TEXT_LIMIT:
        raise OperatorError(f"{name} is longer than {TEXT_LIMIT} characters: {shown(said[:40])}...")
    return said
