"""What other policies would have made of what is on record: one decision beside the other, added up."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from hostseal.core.decision import MALFORMED

NAMED = 10_000
"""So many different plays, logins and hosts are counted by name; what is beyond is counted together."""


class Said(NamedTuple):
    """What a rule says in a decision, apart from its words."""

    rule: str
    severity: str
    exemption: str | None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A decision as far as it matters here."""

    allowed: bool
    violations: tuple[str, ...]
    actions: frozenset[str]
    would: frozenset[str]
    said: frozenset[Said]
    breaking: frozenset[str]
    deadline: float | None


def outcome(raw: Any) -> Outcome | None:
    """Return what matters of a decision (parsed JSON), None when it is none: nothing was decided."""
    try:
        findings = raw["findings"]
        return Outcome(
            allowed=msgspec.convert(raw["allowed"], bool),
            violations=msgspec.convert(raw["violations"], tuple[str, ...]),
            actions=msgspec.convert(raw["actions"], frozenset[str]),
            would=msgspec.convert(raw.get("would", ()), frozenset[str]),
            said=frozenset(Said(one["rule"], one["severity"], one.get("exemption")) for one in findings),
            breaking=frozenset(one["rule"] for one in findings if one["message"] in raw["violations"]),
            deadline=msgspec.convert(raw.get("deadline_seconds"), float | None),
        )
    except (TypeError, KeyError, AttributeError, msgspec.ValidationError):
        return None


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """A question with its decision on record and the one that it gets now.

    `asks` is the entry point's word: event, play, login, replace or break_glass; `about` says in words what of.
    """

    asks: str
    about: str
    host: str | None
    before: Outcome | None
    after: Outcome | None


class RuleChange(msgspec.Struct, frozen=True, kw_only=True):
    """In how many decisions a rule speaks, or breaks the seal, that did not before, and the other way round."""

    rule: str
    new: int
    gone: int
    breaks: int
    breaks_no_more: int
    otherwise: int
    hosts: int


class ActionChange(msgspec.Struct, frozen=True, kw_only=True):
    """In how many decisions an action is asked for that was not, and the other way round; none is held back."""

    action: str
    new: int
    gone: int


class HostChange(msgspec.Struct, frozen=True, kw_only=True):
    """The decisions about a host that flag it, before and after; `would` counts those held back."""

    host: str
    changed: int
    before: int
    after: int
    would_before: int
    would_after: int

    @property
    def flagged(self) -> bool:
        """Whether the host would be flagged, and was not."""
        return self.after > 0 and self.before == 0

    @property
    def freed(self) -> bool:
        """Whether the host was flagged, and would not be."""
        return self.before > 0 and self.after == 0


class Turned(msgspec.Struct, frozen=True, kw_only=True):
    """A play, a login or another wish whose answer turns, how often, and the first sentence about it."""

    asks: str
    about: str
    times: int
    why: str


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What would change. `undecided` had a decision and gets none, or could be judged and cannot be now; `decided` the other way round; `never` neither."""

    replayed: int
    changed: int
    deadlines: int
    actions: tuple[ActionChange, ...]
    rules: tuple[RuleChange, ...]
    hosts: tuple[HostChange, ...]
    flagged: tuple[str, ...]
    freed: tuple[str, ...]
    refused: tuple[Turned, ...]
    admitted: tuple[Turned, ...]
    undecided: tuple[Turned, ...]
    decided: int
    never: int


class Tally:
    """Adds up, and holds no more than the counts by rule, by host and by what was refused."""

    def __init__(self) -> None:
        self._totals: Counter[str] = Counter()
        self._rules: dict[str, Counter[str]] = {}
        self._touched: dict[str, set[str]] = {}
        self._actions: dict[str, Counter[str]] = {}
        self._hosts: dict[str, Counter[str]] = {}
        self._turned: dict[tuple[str, str, str], tuple[int, str]] = {}

    def add(self, one: Replayed) -> None:
        """Take one decision in."""
        self._totals["replayed"] += 1
        before, after = one.before, one.after
        if before is None or after is None:
            self._undecided(one)
        elif _what_matters(before) != _what_matters(after):
            self._compare(one, before, after)
        if one.asks == "event" and one.host is not None:
            self._count_flags(one.host, before, after)

    def preview(self) -> Preview:
        """Return what it comes to so far."""
        hosts = tuple(
            change
            for change in (_host(name, counts) for name, counts in sorted(self._hosts.items()))
            if change.changed or change.flagged or change.freed
        )
        return Preview(
            replayed=self._totals["replayed"],
            changed=self._totals["changed"],
            deadlines=self._totals["deadlines"],
            actions=tuple(
                ActionChange(action=name, new=counts["new"], gone=counts["gone"])
                for name, counts in sorted(self._actions.items())
            ),
            rules=tuple(
                _rule(name, counts, self._touched[name]) for name, counts in sorted(self._rules.items())
            ),
            hosts=hosts,
            flagged=tuple(change.host for change in hosts if change.flagged),
            freed=tuple(change.host for change in hosts if change.freed),
            refused=self._all("refused"),
            admitted=self._all("admitted"),
            undecided=self._all("undecided"),
            decided=self._totals["decided"],
            never=self._totals["never"],
        )

    def _undecided(self, one: Replayed) -> None:
        if one.before is None and one.after is None:
            self._totals["never"] += 1
            return
        self._changed(one)
        if one.before is None:
            self._totals["decided"] += 1
        else:
            self._turn("undecided", one, "no decision")

    def _compare(self, one: Replayed, before: Outcome, after: Outcome) -> None:
        self._changed(one)
        rules = (
            _changes(before.said, after.said)
            + [("breaks", rule) for rule in after.breaking - before.breaking]
            + [("breaks_no_more", rule) for rule in before.breaking - after.breaking]
        )
        for what, rule in rules:
            self._rules.setdefault(rule, Counter())[what] += 1
            touched = self._touched.setdefault(rule, set())
            if one.host is not None:
                touched.add(one.host)
        self._totals["deadlines"] += before.deadline != after.deadline
        for what, actions in (
            ("new", after.actions - before.actions),
            ("gone", before.actions - after.actions),
        ):
            for action in actions:
                self._actions.setdefault(action, Counter())[what] += 1
        if one.asks == "event" and _judged(before) and not _judged(after):
            self._turn("undecided", one, next(iter(after.violations), ""))
        if one.asks != "event" and before.allowed and not after.allowed:
            self._turn("refused", one, next(iter(after.violations), ""))
        if one.asks != "event" and after.allowed and not before.allowed:
            self._turn("admitted", one, next(iter(before.violations), ""))

    def _changed(self, one: Replayed) -> None:
        self._totals["changed"] += 1
        if one.host is not None:
            self._of(one.host)["changed"] += 1

    def _count_flags(self, host: str, before: Outcome | None, after: Outcome | None) -> None:
        for when, found in (("before", before), ("after", after)):
            if found is not None and "flag" in found.actions:
                self._of(host)[when] += 1
            if found is not None and "flag" in found.would:
                self._of(host)[f"would_{when}"] += 1

    def _of(self, host: str) -> Counter[str]:
        return self._hosts.setdefault(host, Counter())

    def _turn(self, what: str, one: Replayed, why: str) -> None:
        key = (what, one.asks, one.about)
        if key not in self._turned and len(self._turned) >= NAMED:
            key = (what, one.asks, "others")
        times, first = self._turned.get(key, (0, why))
        self._turned[key] = (times + 1, first)

    def _all(self, what: str) -> tuple[Turned, ...]:
        found = sorted((key, value) for key, value in self._turned.items() if key[0] == what)
        return tuple(
            Turned(asks=asks, about=about, times=times, why=why) for (_, asks, about), (times, why) in found
        )


def _what_matters(one: Outcome) -> tuple[object, ...]:
    """Return all but the words."""
    return one.allowed, one.actions, one.would, one.said, one.breaking, one.deadline


def _changes(before: Iterable[Said], after: Iterable[Said]) -> list[tuple[str, str]]:
    """Return what became of each rule that does not say the same: new, gone, or otherwise (severity, exemption)."""
    old, new = _by_rule(before), _by_rule(after)
    return [
        *(("new", rule) for rule in new.keys() - old.keys()),
        *(("gone", rule) for rule in old.keys() - new.keys()),
        *(("otherwise", rule) for rule in old.keys() & new.keys() if old[rule] != new[rule]),
    ]


def _by_rule(said: Iterable[Said]) -> Mapping[str, set[Said]]:
    found: dict[str, set[Said]] = {}
    for one in said:
        found.setdefault(one.rule, set()).add(one)
    return found


def _rule(name: str, counts: Counter[str], touched: set[str]) -> RuleChange:
    return RuleChange(
        rule=name,
        new=counts["new"],
        gone=counts["gone"],
        breaks=counts["breaks"],
        breaks_no_more=counts["breaks_no_more"],
        otherwise=counts["otherwise"],
        hosts=len(touched),
    )


def _host(name: str, counts: Counter[str]) -> HostChange:
    return HostChange(
        host=name,
        changed=counts["changed"],
        before=counts["before"],
        after=counts["after"],
        would_before=counts["would_before"],
        would_after=counts["would_after"],
    )


def _judged(one: Outcome) -> bool:
    return not any(said.rule == MALFORMED for said in one.said)
