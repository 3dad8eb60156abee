"""Counts how many events of each type were put on disk and how many were done with, since the agent began."""

import threading
from collections import Counter

from hostseal.core.event import EventType
from hostseal.steps import Listener, Step


class Stages:
    """A listener that counts and hands on. What was undecided at the start and `observed` are `done` and undecided."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._lock = threading.Lock()
        self._counts: Counter[tuple[Step, object]] = Counter()

    def __call__(self, step: Step, **fields: object) -> None:
        """Count a step of an event."""
        if step in {Step.OBSERVED, Step.ACKNOWLEDGED}:
            with self._lock:
                self._counts[step, fields.get("type")] += 1
        self._listener(step, **fields)

    def of(self, kind: EventType) -> dict[str, int]:
        """Return the counts of one type."""
        with self._lock:
            return {
                "observed": self._counts[Step.OBSERVED, str(kind)],
                "done": self._counts[Step.ACKNOWLEDGED, str(kind)],
            }
