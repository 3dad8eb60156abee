"""Cases: an input with the decision it is to get. One's own lie in their rule's folder, below `cases`."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hostseal.policy.problem import Problem
from hostseal.policy.question import NotAskedError, Question
from hostseal.policy.recorded import questions
from hostseal.policy.replay import Replayer

FOLDER = "cases"
_LONGEST = 300


def found(rules: Sequence[Path], cases: Sequence[Path]) -> tuple[list[Question], list[Problem]]:
    """Return the cases of the rules of one's own, and those of other folders, and what is no case among them."""
    folders = [*(path for folder in rules for path in sorted(folder.glob(f"*/{FOLDER}"))), *cases]
    good: list[Question] = []
    bad: list[Problem] = []
    for folder in folders:
        for one in questions(folder):
            if isinstance(one, NotAskedError):
                bad.append(Problem(where=one.hint, what=one.message))
            elif not isinstance(one.decision, dict):
                bad.append(Problem(where=one.where, what="the case has no decision", hint="add `decision:`"))
            else:
                good.append(one)
    return good, bad


def failing(replayer: Replayer, cases: Sequence[Question]) -> Iterator[Problem]:
    """Yield the cases that get another decision. Only the keys that a case names are compared."""
    for one in replayer.ask(cases):
        where, wanted = one.question.where, one.question.decision
        if not isinstance(one.decision, dict):
            yield Problem(where=where, what=f"there is no decision{one.error and f': {one.error}'}")
            continue
        for key in wanted:
            if one.decision.get(key) != wanted[key]:
                what = f"{key}: {'; '.join(_differ(one.decision.get(key), wanted[key]))}"
                yield Problem(where=where, what=what, hint=f"hostseal policy eval {where}")


def _differ(got: Any, wanted: Any) -> Iterator[str]:
    """Say what differs; of two lists, what only one of them has."""
    if not isinstance(got, list) or not isinstance(wanted, list):
        yield f"it is {_short(got)}, not {_short(wanted)}"
        return
    yield from (f"not wanted: {_short(one)}" for one in got if one not in wanted)
    yield from (f"not there: {_short(one)}" for one in wanted if one not in got)
    if all(one in wanted for one in got) and all(one in got for one in wanted):
        yield "in another order, or not as often"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
