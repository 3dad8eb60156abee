"""Whatever it is asked, each entry point answers by a decision, and what cannot be judged is never allowed."""

import copy
import http.client
import json
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostseal.core.decision import Decision, parse
from policy.opa_server import TOKEN, OpaServer
from policy.questions import ENTRIES, Entry

ENTRY = pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALAR = (
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(-1e9, 1e9, allow_nan=False) | TEXT
)
JSON = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
MANY = settings(
    derandomize=True,
    deadline=None,
    max_examples=120,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Asker:
    """One connection to the OPA, kept."""

    def __init__(self, server: OpaServer) -> None:
        context = ssl.create_default_context(cafile=str(server.folder / "server.pem"))
        self._connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=30, context=context)

    def close(self) -> None:
        self._connection.close()

    def __call__(self, path: str, body: dict[str, Any]) -> Decision:
        """Return the decision, which there must be, and which must not contradict itself."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
        self._connection.request("POST", f"/v1/data/{path}", json.dumps(body), headers)
        with self._connection.getresponse() as response:
            status, answer = response.status, json.loads(response.read())
        assert status == http.HTTPStatus.OK, answer
        assert "result" in answer, body
        decision = parse(answer["result"])
        assert decision.allowed is not bool(decision.violations)
        assert decision.judged or not decision.allowed
        for finding in decision.findings:
            assert finding.message.isprintable()
        return decision


@pytest.fixture(scope="session")
def ask(server: OpaServer) -> Iterator[Asker]:
    asker = Asker(server)
    yield asker
    asker.close()


def unjudged(decision: Decision, why: str) -> None:
    assert (decision.allowed, decision.judged, len(decision.findings)) == (False, False, 1)
    [sentence] = decision.violations
    assert "cannot be judged: " in sentence
    assert why in sentence
    assert set(decision.actions) <= {"refuse"}


@ENTRY
def test_the_good_question_is_judged(ask: Asker, entry: Entry) -> None:
    assert ask(entry.path, {"input": entry.question}).judged


@ENTRY
def test_no_input_at_all_is_not_allowed(ask: Asker, entry: Entry) -> None:
    missing = {"hostseal/event/decision": "event in it", "hostseal/play/decision": "play in it"}
    unjudged(ask(entry.path, {}), f"there is no {missing.get(entry.path, 'input')}")


@ENTRY
@MANY
@given(asked=JSON)
def test_anything_at_all_is_answered_and_not_allowed(ask: Asker, entry: Entry, asked: Any) -> None:
    unjudged(ask(entry.path, {"input": asked}), "")


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to everything inside."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield (*at, step)
        yield from places(inner, (*at, step))


def put(question: Any, way: tuple[Any, ...], value: Any) -> Any:
    """Return the question with another value in a place; without it when the value is `...`."""
    changed = copy.deepcopy(question)
    inner = changed
    for step in way[:-1]:
        inner = inner[step]
    if value is ...:
        del inner[way[-1]]
    else:
        inner[way[-1]] = value
    return changed


def fits(value: Any, types: tuple[type, ...]) -> bool:
    """Tell as JSON does, where true is no number."""
    return isinstance(value, types) and (bool in types or not isinstance(value, bool))


@ENTRY
@MANY
@given(draw=st.data())
def test_a_question_with_anything_put_otherwise_is_answered(ask: Asker, entry: Entry, draw: Any) -> None:
    way = draw.draw(st.sampled_from(sorted(places(entry.question), key=str)))
    value = draw.draw(st.just(...) | JSON)
    decision = ask(entry.path, {"input": put(entry.question, way, value)})
    types = entry.parts.get(".".join(map(str, way)))
    if types is not None and (value is ... or not fits(value, types)):
        unjudged(decision, "")


@ENTRY
def test_each_part_that_is_missing_or_of_another_type_is_named(ask: Asker, entry: Entry) -> None:
    for part, types in entry.parts.items():
        way = tuple(part.split("."))
        for value in (..., None, True, 7, "x", [], {}):
            if value is ... or not fits(value, types):
                unjudged(ask(entry.path, {"input": put(entry.question, way, value)}), part)


def test_an_event_is_not_lifted_or_flagged_by_what_cannot_be_judged(ask: Asker) -> None:
    entry = ENTRIES["event"]
    decision = ask(entry.path, {"input": put(entry.question, ("event", "data", "user"), 7)})
    assert (decision.actions, decision.would, decision.deadline_seconds) == ((), (), None)
