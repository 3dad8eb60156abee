"""A few connections to the policy engine, for askers that must not wait for each other."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from hostseal.errors import NoAnswerError
from hostseal.policy.answer import Answer
from hostseal.policy.engine import OpaEngine

CONNECTIONS = 4
WAIT_SECONDS = 1.0


class EnginePool:
    """Asks through an engine that nobody else is using; there are at most `CONNECTIONS`, and they stay connected."""

    def __init__(self, connect: Callable[[], OpaEngine]) -> None:
        self._connect = connect
        self._free = threading.BoundedSemaphore(CONNECTIONS)
        self._idle: deque[OpaEngine] = deque()

    def ask(self, entry_point: str, question: dict[str, Any]) -> Answer:
        """Return the decision at an entry point; raises as :meth:`OpaEngine.ask` does, also when all are in use too long."""
        if not self._free.acquire(timeout=WAIT_SECONDS):
            raise NoAnswerError("OPA is being asked too much at once", hint="is it slow?")
        try:
            engine = self._idle.pop() if self._idle else self._connect()
            try:
                return engine.ask(entry_point, question)
            finally:
                self._idle.append(engine)
        finally:
            self._free.release()
