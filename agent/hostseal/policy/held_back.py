"""What a revision would have done where it was held back, counted from recorded decisions."""

from collections.abc import Iterable
from typing import Any

import msgspec

from hostseal.errors import PolicyError


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """Of one revision: how many decisions on how many hosts; by action, how many of both held it back or took it."""

    revision: str
    decisions: int
    hosts: int
    would: dict[str, tuple[int, int]]
    did: dict[str, tuple[int, int]]


class _Decision(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    host: str
    revision: str
    would: frozenset[str]
    did: frozenset[str]


def count(lines: Iterable[str], source: str) -> list[Count]:
    """Return the counts in the order in which the revisions first spoke; a decision that is there twice counts once.

    A line is an entry of OPA's decision log, or a ledger's record of one; what else is in them is left out. PolicyError for
    a line that is no JSON; `source` is its file.
    """
    found: dict[str, dict[str, _Decision]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            entry = msgspec.json.decode(line)
        except msgspec.DecodeError as error:
            raise PolicyError(f"not valid JSON: {error}", hint=f"{source}:{number}") from error
        decision = _decision(entry)
        if decision is not None:
            found.setdefault(decision.revision, {})[decision.id] = decision
    return [_counted(revision, list(decisions.values())) for revision, decisions in found.items()]


def _decision(entry: Any) -> _Decision | None:
    body = _at(entry, "body") if isinstance(_at(entry, "body"), dict) else entry
    result, identity = _at(body, "result"), _at(body, "decision_id")
    if not isinstance(result, dict) or not isinstance(identity, str) or "allowed" not in result:
        return None
    host = (
        _at(body, "input", "event", "host", "name")
        or _at(body, "input", "host", "name")
        or _at(entry, "host")
    )
    bundles = _at(body, "bundles")
    revisions = [_at(bundle, "revision") for bundle in bundles.values()] if isinstance(bundles, dict) else []
    return _Decision(
        id=identity,
        host=str(host),
        revision=", ".join(str(revision) for revision in revisions if revision) or "unknown",
        would=_names(result.get("would")),
        did=_names(result.get("actions")),
    )


def _counted(revision: str, decisions: list[_Decision]) -> Count:
    return Count(
        revision=revision,
        decisions=len(decisions),
        hosts=len({one.host for one in decisions}),
        would=_by_action([(one.host, one.would) for one in decisions]),
        did=_by_action([(one.host, one.did) for one in decisions]),
    )


def _by_action(said: list[tuple[str, frozenset[str]]]) -> dict[str, tuple[int, int]]:
    actions = sorted(frozenset[str]().union(*(names for _, names in said)))
    return {
        action: (
            sum(action in names for _, names in said),
            len({host for host, names in said if action in names}),
        )
        for action in actions
    }


def _names(value: Any) -> frozenset[str]:
    return (
        frozenset(name for name in value if isinstance(name, str)) if isinstance(value, list) else frozenset()
    )


def _at(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
