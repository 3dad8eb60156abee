"""Replays what is on record against other policies, and adds up what would change."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from hostseal.core.preview import Preview, Replayed, Tally, outcome
from hostseal.policy.question import NotAskedError, Question, not_whole
from hostseal.policy.reads import Reads, of_bundle
from hostseal.policy.recorded import questions
from hostseal.policy.replay import Replayer
from hostseal.policy.serving import Source, built, served
from hostseal.trial import opa_child

EXAMPLES = 3
REPEATED = "told twice"


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """Entries of a kind that could not be replayed: how many, and the first of them."""

    kind: str
    count: int
    first: tuple[str, ...]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What would change, what could not be replayed and why, and what OPA could not evaluate."""

    preview: Preview
    left: tuple[Left, ...]
    errors: tuple[str, ...]


def preview(
    source: Source, against: Path, done: Callable[[int], None] = lambda _: None, *, staged: bool = False
) -> Report:
    """Return what `source` would make of the decisions recorded in `against`, a file or a folder of them.

    `done` is told how many more were read. `staged` decides as the bundle does now, where it is not yet promoted.
    PolicyError when the policies cannot be used, BadInputError for a file that cannot be read,
    NoAnswerError when OPA does not last.
    """
    tally, left = Tally(), _Left()
    errors: dict[str, None] = {}
    with built(source) as bundle, served(msgspec.structs.replace(source, bundle=bundle)) as url:
        reads = of_bundle(opa_child.find(), bundle)
        for one in Replayer(url, staged=staged).ask(_asked(against, reads, left, done)):
            before, after = outcome(one.question.decision), outcome(one.decision)
            tally.add(
                Replayed(
                    asks=one.question.asks,
                    about=one.question.about,
                    host=one.question.host,
                    before=before,
                    after=after,
                )
            )
            if one.error and len(errors) < EXAMPLES:
                errors[f"{one.question.where}: {one.error}"] = None
    return Report(preview=tally.preview(), left=left.all(), errors=tuple(errors))


def _asked(against: Path, reads: Reads, left: "_Left", done: Callable[[int], None]) -> Iterator[Question]:
    known: set[bytes] = set()
    for one in questions(against):
        done(1)
        if isinstance(one, NotAskedError):
            left.add(one)
        elif lost := reads.any_of(one.asks, one.masked):
            left.add(not_whole(one, lost))
        elif _again(one, known):
            left.add(NotAskedError(REPEATED, "this decision was replayed before", hint=one.where))
        else:
            yield one


def _again(one: Question, known: set[bytes]) -> bool:
    """Tell whether this very entry was there before: hosts' own logs and the ledger's may lie in one folder."""
    if one.id is None:
        return False
    digest = hashlib.blake2b(msgspec.json.encode([one.id, one.input, one.decision]), digest_size=16).digest()
    again = digest in known
    known.add(digest)
    return again


class _Left:
    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._first: dict[str, list[str]] = {}

    def add(self, one: NotAskedError) -> None:
        self._counts[one.kind] += 1
        first = self._first.setdefault(one.kind, [])
        if len(first) < EXAMPLES:
            first.append(f"{one.hint}: {one.message}")

    def all(self) -> tuple[Left, ...]:
        return tuple(
            Left(kind=kind, count=count, first=tuple(self._first[kind]))
            for kind, count in sorted(self._counts.items())
        )
