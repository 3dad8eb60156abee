"""Several connections to the policy engine, for askers that must not wait for each other."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from hostseal.policy.answer import Answer
from hostseal.policy.engine import OpaEngine

KEPT = 8


class EnginePool:
    """Asks through an engine nobody else is using; at most `KEPT` stay connected."""

    def __init__(self, connect: Callable[[], OpaEngine]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._idle: deque[OpaEngine] = deque()

    def ask(self, entry_point: str, question: dict[str, Any]) -> Answer:
        """Return the decision at an entry point; raises as :meth:`OpaEngine.ask` does."""
        with self._lock:
            engine = self._idle.pop() if self._idle else self._connect()
        try:
            return engine.ask(entry_point, question)
        finally:
            with self._lock:
                if len(self._idle) < KEPT:
                    self._idle.append(engine)
