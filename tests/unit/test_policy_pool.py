"""The pool of connections to the policy engine is small, shared, and says so when it is all in use."""

import threading
from typing import Any, cast

import pytest

from hostseal.core.decision import Decision
from hostseal.errors import NoAnswerError
from hostseal.policy import pool
from hostseal.policy.answer import Answer
from hostseal.policy.engine import OpaEngine
from hostseal.policy.pool import CONNECTIONS, EnginePool

ANSWER = Answer(decision_id="d", decision=Decision(allowed=True, violations=(), findings=(), actions=()))


class Engine:
    """Answers once it may."""

    def __init__(self, may: threading.Event) -> None:
        self._may = may

    def ask(self, _entry_point: str, _question: dict[str, Any]) -> Answer:
        self._may.wait(10)
        return ANSWER


def test_no_more_than_a_few_are_asked_at_once_and_they_are_used_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "WAIT_SECONDS", 0.05)
    made: list[Engine] = []
    may = threading.Event()

    def connect() -> OpaEngine:
        made.append(Engine(may))
        return cast("OpaEngine", made[-1])

    asked = EnginePool(connect)
    answers: list[Answer] = []
    threads = [
        threading.Thread(target=lambda: answers.append(asked.ask("x", {}))) for _ in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    while len(made) < CONNECTIONS:
        threading.Event().wait(0.01)
    with pytest.raises(NoAnswerError, match="too much at once"):
        asked.ask("x", {})
    may.set()
    for thread in threads:
        thread.join(10)
    assert answers == [ANSWER] * CONNECTIONS
    assert asked.ask("x", {}) == ANSWER
    assert len(made) == CONNECTIONS
