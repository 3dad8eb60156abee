"""What the spool hands out."""

from enum import StrEnum

import msgspec

from hostseal.core.decision import Decision
from hostseal.core.event import Event


class TaskState(StrEnum):
    """How far an event has come (law 2)."""

    PENDING = "pending"
    DECIDED = "decided"
    DONE = "done"


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One event on its way to an outcome. `next_try` is a wall-clock time in seconds since 1970."""

    event: Event
    state: TaskState
    attempts: int = 0
    next_try: float = 0.0
    error: str | None = None
    decision_id: str | None = None
    decision: Decision | None = None
    decided: str | None = None
    done: str | None = None


class ActionState(StrEnum):
    """How far a playbook's run has come."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


class ActionTask(msgspec.Struct, frozen=True, kw_only=True):
    """One playbook to run for one incident."""

    id: str
    action: str
    incident: str
    event: str
    created: str
    state: ActionState
    attempts: int = 0
    next_try: float = 0.0
    error: str | None = None
    finished: str | None = None
