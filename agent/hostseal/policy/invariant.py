"""What holds for every decision, asked of a real OPA about a great many inputs: cases, schemas, and both spoilt."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from hostseal.core.decision import parse
from hostseal.core.spoilt import examples, spoilt
from hostseal.errors import UndefinedDecisionError
from hostseal.policy.metadata import SEVERITIES
from hostseal.policy.problem import Problem
from hostseal.policy.question import Question, bare
from hostseal.policy.replay import Answered, Replayer

SPOILT = 20
"""So many spoilt inputs are made of each."""
MODES = ("observe", "flag", "enforce")
_SCHEMAS = ("input.json", "play/decision.json", "replace/decision.json", "break_glass/decision.json")
_LOGINS = ("login.requested", "session.opened")
_SHOWN = 5


def inputs(cases: Iterable[Question], schemas: Path) -> Iterator[Question]:
    """Yield the cases, an input for each variant of each schema, and each of them spoilt; under all modes in turn."""
    for number, asked in enumerate([*cases, *_of_schemas(schemas)]):
        for mode in MODES:
            yield _in(mode, asked)
        for what, value in spoilt(asked.input, SPOILT):
            changed = msgspec.structs.replace(asked, input=value, where=f"{asked.where}, {what}")
            yield _in(MODES[number % len(MODES)], changed)


def _of_schemas(schemas: Path) -> Iterator[Question]:
    gates = list(_examples(schemas / "login/gate.json"))
    for name in _SCHEMAS:
        for number, value in enumerate(_examples(schemas / name)):
            where = f"{schemas / name}, variant {number + 1}"
            yield bare(value, where)
            if name == "input.json" and value["event"]["type"] in _LOGINS:
                yield from (bare({**value, "login": gate}, f"{where} as a login") for gate in gates)


def _examples(schema: Path) -> Iterator[Any]:
    return examples(json.loads(schema.read_bytes()))


def _in(mode: str, asked: Question) -> Question:
    if asked.over is not None:
        return asked
    return msgspec.structs.replace(asked, over={"site": {"default": {"mode": mode}}})


def broken(replayer: Replayer, questions: Iterable[Question], counts: list[int]) -> Iterator[Problem]:
    """Yield the decisions that break a law, at most a few; how many were asked for is added to `counts[0]`.

    The laws: every input has a decision that an agent can read; what is not allowed has a violation, and says so in words;
    what flags a host is not allowed; no input stops the evaluation.
    """
    problems = 0
    for one in replayer.ask(questions):
        counts[0] += 1
        for what in _faults(one):
            problems += 1
            if problems <= _SHOWN:
                hint = f"its input: {json.dumps(one.question.input)[:300]}"
                yield Problem(where=one.question.where, what=what, hint=hint)
    if problems > _SHOWN:
        yield Problem(where="", what=f"and {problems - _SHOWN} more decisions like these")


def _faults(one: Answered) -> Iterator[str]:
    if one.error:
        yield f"OPA cannot evaluate this: {one.error}"
        return
    if not isinstance(one.decision, dict):
        yield "there is no decision: what cannot be judged is to be refused"
        return
    decision = one.decision
    allowed, violations = decision.get("allowed"), decision.get("violations")
    if not isinstance(allowed, bool) or not _sentences(violations):
        yield "allowed is no truth value, or violations are no sentences"
    elif not allowed and not violations:
        yield "allowed is false, and violations is empty"
    elif allowed and "flag" in decision.get("actions", ()):
        yield "the host is flagged without a violation: the rule asks for the flag and has no finding"
    else:
        yield from _unreadable(decision)


def _unreadable(decision: Any) -> Iterator[str]:
    """Say what an agent would take for no answer: it would act on nothing, and ask again for ever."""
    try:
        findings = parse(decision).findings
    except UndefinedDecisionError as error:
        yield error.message
        return
    yield from (
        f"{one.rule} has a finding of severity {one.severity!r}, which is none"
        for one in findings
        if one.severity not in SEVERITIES
    )


def _sentences(violations: Any) -> bool:
    return isinstance(violations, Sequence) and all(isinstance(one, str) and one for one in violations)
