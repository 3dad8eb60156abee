"""Asks a real OPA a great many questions: a batch in a request, and several requests in flight.

A batch is a query of OPA's Query API that decides each question `with input as` it. One that cannot be evaluated would
take its neighbours along, so a batch that fails is asked again one by one.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import msgspec
import requests

from hostseal.errors import NoAnswerError
from hostseal.policy.question import ENTRY_POINTS, Question

BATCH = 100
IN_FLIGHT = 4
TIMEOUT_SECONDS = 120.0
_HELD = 20 * BATCH
PROMOTED = 'with data.hostseal.rollout.state as "promoted"'
"""Decides as the bundle will once it is rolled out to every host, whatever stage it is made for."""
OVER = """site := object.union(data.hostseal.site, object.get(input.over, "site", {}))
bundle := object.union_n(array.concat([b | b := data.hostseal.bundle], [object.get(input.over, "bundle", {})]))"""
OVERLAID = "with data.hostseal.site as site with data.hostseal.bundle as bundle"
"""Decides by the bundle's data with a case's own over it."""


class Answered(NamedTuple):
    """A question with the raw decision that it got, None for none, and OPA's word where it could not be evaluated."""

    question: Question
    decision: Any
    error: str = ""


class Replayer:
    """Asks one OPA."""

    def __init__(self, url: str, *, staged: bool = False) -> None:
        self._url, self._with = url, "" if staged else PROMOTED
        self._sessions: deque[requests.Session] = deque()

    def ask(self, questions: Iterable[Question]) -> Iterator[Answered]:
        """Yield the questions with their answers, batch by batch; no more than some batches are held at a time.

        NoAnswerError when OPA is not there any more.
        """
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            running: deque[Future[list[Answered]]] = deque()
            for batch in _batches(questions):
                running.append(pool.submit(self._batch, batch))
                if len(running) > IN_FLIGHT:
                    yield from running.popleft().result()
            while running:
                yield from running.popleft().result()
        while self._sessions:
            self._sessions.pop().close()

    def _batch(self, batch: list[Question]) -> list[Answered]:
        answers, error = self._post(batch)
        if error and len(batch) > 1:
            return [answered for question in batch for answered in self._batch([question])]
        return [Answered(question, answers.get(str(i)), error) for i, question in enumerate(batch)]

    def _post(self, batch: list[Question]) -> tuple[Mapping[str, Any], str]:
        asked: dict[str, Any] = {"questions": [question.input for question in batch]}
        path = ENTRY_POINTS[batch[0].asks].replace("/", ".")
        decided = f"d := data.{path} with input as q {self._with}"
        if batch[0].over:
            asked["over"] = batch[0].over
            decided = f"{OVER}; {decided} {OVERLAID}"
        query = f"answers := {{i: d | some i, q in input.questions; {decided}}}"
        session = self._sessions.pop() if self._sessions else new_session()
        results, error = query_opa(session, self._url, query, asked)
        self._sessions.append(session)
        return (results[0]["answers"] if results else {}), error


def _batches(questions: Iterable[Question]) -> Iterator[list[Question]]:
    """Yield the questions in batches of one entry point and with the same data over the bundle's."""
    held: dict[tuple[str, bytes], list[Question]] = {}
    count = 0
    for question in questions:
        key = (question.asks, msgspec.json.encode(question.over, order="sorted"))
        held.setdefault(key, []).append(question)
        count += 1
        if len(held[key]) >= BATCH:
            count -= len(held[key])
            yield held.pop(key)
        elif count >= _HELD:
            yield from held.values()
            held, count = {}, 0
    yield from held.values()


def new_session() -> requests.Session:
    """Return a connection to an OPA on loopback."""
    session = requests.Session()
    session.trust_env = False  # neither proxies nor .netrc belong on the way there
    session.headers["Content-Type"] = "application/json"
    return session


def query_opa(session: requests.Session, url: str, query: str, asked: Any) -> tuple[list[Any], str]:
    """Return the results of a query with this input, and OPA's word where it cannot be evaluated.

    NoAnswerError when OPA is not there any more.
    """
    body = msgspec.json.encode({"query": query, "input": asked})
    try:
        answer = session.post(f"{url}/v1/query", data=body, timeout=TIMEOUT_SECONDS)
        said = msgspec.json.decode(answer.content)
    except (requests.RequestException, OSError, msgspec.MsgspecError) as error:
        raise NoAnswerError(f"OPA gave no answer: {type(error).__name__}", hint=str(error)[:300]) from error
    if answer.status_code != requests.codes.ok:
        return [], _why(said)
    return said.get("result") or [], ""


def _why(said: Any) -> str:
    errors = said.get("errors") or [said]
    return "; ".join(str(one.get("message")) for one in errors if isinstance(one, dict))[:500]
