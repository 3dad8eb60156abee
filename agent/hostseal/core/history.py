"""What was found on a host lately, for rules that judge by it. Pure: the time is the event's."""

from collections import Counter
from datetime import timedelta

import msgspec

from hostseal.core.decision import Decision
from hostseal.core.event import Event, from_timestamp

KEPT = 64
SPAN = timedelta(hours=24)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that counted: its rule, and the event's id and time."""

    rule: str
    time: str
    event: str


def counts(decision: Decision) -> bool:
    """Return whether the decision adds anything to the history."""
    return any(finding.exemption is None for finding in decision.findings)


def before(recent: tuple[Found, ...], event: Event) -> tuple[Found, ...]:
    """Return what a rule may know when it judges the event: never the event itself, which may come again (law 2).

    A clock that was put back does not hide what is within SPAN on the other side.
    """
    moment = from_timestamp(event.time)
    return tuple(
        one for one in recent if one.event != event.id and abs(from_timestamp(one.time) - moment) <= SPAN
    )


def after(recent: tuple[Found, ...], event: Event, decision: Decision) -> tuple[Found, ...]:
    """Return the history with the event's findings that no exemption covers, the newest last.

    Of more than KEPT the oldest of the rule that has most is forgotten: a flood of one rule hides no other.
    Applying it twice changes nothing.
    """
    rules = dict.fromkeys(finding.rule for finding in decision.findings if finding.exemption is None)
    new = tuple(Found(rule=rule, time=event.time, event=event.id) for rule in rules)
    kept = (*before(recent, event), *new)
    while len(kept) > KEPT:
        [(most, _)] = Counter(one.rule for one in kept).most_common(1)
        oldest = next(number for number, one in enumerate(kept) if one.rule == most)
        kept = (*kept[:oldest], *kept[oldest + 1 :])
    return kept
