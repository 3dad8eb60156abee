"""Decides one question, and finds out why: what each rule says, what the site's data makes of it, OPA's own trace."""

from pathlib import Path
from string import Template
from typing import Any

import msgspec
import requests

from hostseal.core.why import Held, Spoken, held, spoken
from hostseal.errors import BadInputError, NoAnswerError
from hostseal.policy.question import ENTRY_POINTS, NotAskedError, Question, bare, not_whole
from hostseal.policy.recorded import questions
from hostseal.policy.replay import OVER, OVERLAID, TIMEOUT_SECONDS, new_session, query_opa
from hostseal.policy.serving import Source, served

RULES = {
    "event": "rules",
    "login": "login_rules",
    "play": "play_rules",
    "replace": "replace_rules",
    "break_glass": "grant_rules",
}
"""The packages whose findings each entry point composes."""
_NOT_REACHED = "no line is reached: OPA's index knows that what the rule compares first is not so"
_QUERY = Template("""q := input.question
$over
decision := [d | d := data.$path with input as q $overlaid]
rollout := [r | r := data.hostseal.rollout.state]
stage := [p | p := data.hostseal.rollout.stage_percent]
rules := {name: said |
    some name, _ in data.hostseal.$kind
    said := {what: found | some what in ["findings", "asks"]; found := [one |
        some one in data.hostseal.$kind[name][what] with input as q $overlaid
    ]}
}
""")


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """A decision (None: there is none), what was said for and against it, and OPA's trace of one rule where it is wanted."""

    where: str
    asks: str
    about: str
    decision: dict[str, Any] | None
    rules: tuple[Spoken, ...]
    held: tuple[Held, ...]
    trace: tuple[str, ...] = ()


def pick(file: Path, name: str | None, asks: str | None) -> Question:
    """Return the file's question: its only one, or the one whose decision has this id. BadInputError when there is none."""
    found: Question | None = None
    problem: NotAskedError | None = None
    for one in questions(file):
        if isinstance(one, NotAskedError):
            problem = problem or one
        elif name is not None and one.id == name:
            return _meant(one, asks)
        elif name is None and found is not None:
            raise BadInputError(
                "there is more than one question", hint=f"{file}: name one by --id DECISION_ID"
            )
        else:
            found = one
    if name is not None:
        raise BadInputError(f"there is no decision {name}", hint=str(file))
    if found is None:
        raise problem or BadInputError("there is no question", hint=str(file))
    return _meant(found, asks)


def _meant(question: Question, asks: str | None) -> Question:
    if question.masked:
        raise not_whole(question, question.masked)
    if asks is None:
        return question
    return msgspec.structs.replace(bare(question.input, question.where, asks), over=question.over)


def evaluate(source: Source, question: Question, explain: str | None = None) -> Evaluation:
    """Return the decision and why; with the trace of the rule `explain`: the lines that failed.

    PolicyError when the policies cannot be used, NoAnswerError when OPA cannot evaluate them for this question.
    """
    kind = RULES[question.asks]
    asked = {"question": question.input, "over": question.over or {}}
    path = ENTRY_POINTS[question.asks].replace("/", ".")
    query = _QUERY.substitute(over=OVER, overlaid=OVERLAID, path=path, kind=kind)
    with served(source) as url, new_session() as session:
        results, error = query_opa(session, url, query, asked)
        if error or not results:
            raise NoAnswerError(f"OPA cannot evaluate this: {error}", hint=question.where)
        [found] = results
        if explain is not None and explain not in found["rules"]:
            raise BadInputError(
                f"there is no rule {explain!r} about this", hint=", ".join(sorted(found["rules"]))
            )
        trace = () if explain is None else _trace(session, url, f"hostseal.{kind}.{explain}", asked)
    [decision] = found["decision"] or [None]
    [state], [stage] = found["rollout"] or ["promoted"], found["stage"] or [{}]
    return Evaluation(
        where=question.where,
        asks=question.asks,
        about=question.about,
        decision=decision,
        rules=spoken(decision or {}, found["rules"], found["site"]),
        held=held(decision or {}, state, stage),
        trace=trace,
    )


def _trace(session: requests.Session, url: str, package: str, asked: Any) -> tuple[str, ...]:
    query = f"q := input.question\n{OVER}\nfound := data.{package}.findings with input as q {OVERLAID}"
    said = session.post(
        f"{url}/v1/query?explain=fails&pretty=true",
        data=msgspec.json.encode({"query": query, "input": asked}),
        timeout=TIMEOUT_SECONDS,
    )
    lines = msgspec.json.decode(said.content).get("explanation") or ()
    trace = tuple(line for line in lines if line.strip() and not line.startswith("query:"))
    return trace or (_NOT_REACHED,)
