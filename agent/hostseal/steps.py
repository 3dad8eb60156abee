"""The steps of law 2, told to whoever listens: the journal, a trial's timeline, a test that kills between two."""

from enum import StrEnum
from typing import Protocol


class Step(StrEnum):
    """What has just been made durable, in the order of law 2."""

    OBSERVED = "event.observed"
    DECIDED = "decision.made"
    NO_ANSWER = "decision.missing"
    STANDING = "standing.written"
    PUBLISHED = "publication.written"
    QUEUED = "action.queued"
    ACKNOWLEDGED = "event.acknowledged"
    ACTION_STARTED = "action.started"
    ACTION_DONE = "action.done"
    ACTION_FAILED = "action.failed"


class Listener(Protocol):
    """Is told each step once it is on disk."""

    def __call__(self, step: Step, **fields: object) -> None:
        """Take the news; must not raise and must not wait."""
