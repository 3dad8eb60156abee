"""Folding: what closes a change set, what bounds it, and that nothing is lost in it."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from hostseal.core.attribution import (
    UNKNOWN,
    Confidence,
    ProcessFacts,
    Proof,
    Writer,
    WriterKey,
    WriterKind,
)
from hostseal.core.change_set import MAX_WRITERS, ChangeSet, Fold, Limits, PathChange, What

VIM = ProcessFacts(pid=7, proof=Proof.ALIVE, exe="/usr/bin/vim", uid=0)
BY_VIM = WriterKey(WriterKind.EXECUTABLE, "/usr/bin/vim", 0)
LIMITS = Limits(quiet_seconds=0.5, max_age_seconds=2.0, max_paths=3, max_waiting=1_000_000)

Change = tuple[bytes, str, float, WriterKey]
changes = st.lists(
    st.tuples(
        st.sampled_from([b"/etc/%d" % n for n in range(6)]),
        st.sampled_from([what.value for what in What]),
        st.floats(min_value=0, max_value=0.9),
        st.sampled_from([UNKNOWN, BY_VIM, WriterKey(WriterKind.SESSION, "12")]),
    ),
    max_size=60,
).map(
    lambda steps: [
        (path, what, at, key) for (path, what, _, key), at in zip(steps, _running(steps), strict=True)
    ]
)


def _running(steps: list[Change]) -> list[float]:
    at, times = 0.0, []
    for step in steps:
        at += step[2]
        times.append(at)
    return times


def folded(taken: list[Change], asked_at: list[int]) -> list[ChangeSet]:
    fold, done = Fold(LIMITS), []
    for index, (path, what, at, key) in enumerate(taken):
        fold.add(path, what, at, key)
        if index in asked_at:
            done += fold.due(at)
    done += fold.flush()
    assert not len(fold)
    return sorted(done, key=lambda one: (one.first, one.key.kind, one.key.name))


@given(changes)
def test_each_change_is_in_exactly_one_set(taken: list[Change]) -> None:
    sets = folded(taken, [])
    by_key: Counter[WriterKey] = Counter()
    for one in sets:
        by_key[one.key] += one.count
    assert by_key == Counter(key for _, _, _, key in taken)
    for one in sets:
        inside = [c for c in taken if c[3] == one.key and one.first <= c[2] <= one.last]
        assert one.count == len(inside)
        named = {change.path: set(change.what) for change in one.paths}
        distinct = {path for path, _, _, _ in inside}
        assert set(named) <= distinct
        assert len(named) == min(len(distinct), LIMITS.max_paths)
        assert one.truncated == (len(distinct) > LIMITS.max_paths)
        assert all(named[p] == {w for q, w, _, _ in inside if q == p} for p in named)


@given(changes, st.lists(st.integers(min_value=0, max_value=60)))
def test_sets_do_not_depend_on_when_they_are_asked_for(taken: list[Change], asked_at: list[int]) -> None:
    assert folded(taken, asked_at) == folded(taken, [])


@given(changes)
def test_no_set_is_longer_than_it_may_be(taken: list[Change]) -> None:
    for one in folded(taken, []):
        assert one.last - one.first <= LIMITS.max_age_seconds


def test_a_set_closes_after_quiet() -> None:
    fold = Fold(LIMITS)
    fold.add(b"/etc/a", "created", 10.0, BY_VIM, VIM)
    fold.add(b"/etc/a", "modified", 10.4, BY_VIM, VIM)
    assert fold.next_due() == 10.9
    assert fold.due(10.8) == []
    assert fold.due(10.9) == [
        ChangeSet(
            key=BY_VIM,
            writer=Writer(kind=WriterKind.EXECUTABLE, exe="/usr/bin/vim", pid=7, uid=0),
            paths=(PathChange(b"/etc/a", (What.CREATED, What.MODIFIED)),),
            count=2,
            truncated=False,
            confidence=Confidence.EXACT,
            first=10.0,
            last=10.4,
        )
    ]
    assert fold.next_due() is None


def test_a_set_closes_at_its_greatest_age_though_changes_go_on() -> None:
    fold = Fold(LIMITS)
    for step in range(12):
        fold.add(b"/etc/a", "modified", step * 0.2, BY_VIM, VIM)
    assert [(one.first, one.count) for one in fold.due(2.2)] == [(0.0, 10)]


def test_one_unproven_change_makes_the_set_inferred() -> None:
    fold = Fold(LIMITS)
    fold.add(b"/etc/a", "modified", 0.0, BY_VIM, VIM)
    fold.add(b"/etc/a", "modified", 0.1, BY_VIM, ProcessFacts(pid=8, proof=Proof.JOINED, exe="/usr/bin/vim"))
    assert [one.confidence for one in fold.flush()] == [Confidence.INFERRED]


def test_too_many_writers_at_once_are_thrown_together_as_unknown_and_none_is_lost() -> None:
    fold = Fold(LIMITS)
    for number in range(MAX_WRITERS + 10):
        fold.add(b"/etc/a", "modified", 0.0, WriterKey(WriterKind.EXECUTABLE, str(number)), VIM)
    sets = fold.flush()
    assert sum(one.count for one in sets) == MAX_WRITERS + 10
    assert [one.count for one in sets if one.key == UNKNOWN] == [10]


def test_while_too_many_sets_wait_the_open_ones_grow_older_instead() -> None:
    fold = Fold(Limits(quiet_seconds=0.5, max_age_seconds=2.0, max_paths=3, max_waiting=2))
    for step in range(10):
        fold.add(b"/etc/a", "modified", float(step), BY_VIM, VIM)
    assert len(fold) == 3
    assert [one.count for one in fold.flush()] == [1, 1, 8]
