"""Cases: an input with the decision it is to get. One's own lie in their rule's folder, below `cases`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from hostseal.policy.problem import Problem
from hostseal.policy.question import NotAskedError, Question
from hostseal.policy.recorded import questions
from hostseal.policy.replay import Replayer

FOLDER = "cases"


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
                yield Problem(
                    where=where,
                    what=f"{key} is {one.decision.get(key)!r}, not {wanted[key]!r}",
                    hint=f"hostseal policy eval {where}",
                )

