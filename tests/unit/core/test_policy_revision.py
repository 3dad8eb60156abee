"""The newest revision that was seen, and what is older than it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostseal.core.policy_revision import newest, went_back

MONDAY, TUESDAY = "20261123T080000Z-0123456789ab.dirty-d1", "20261124T080000Z-d2"
OTHER_MONDAY = "20261123T080000Z-0123456789ab-d3"
revisions = st.none() | st.sampled_from([MONDAY, OTHER_MONDAY, TUESDAY, "d4", "", "2026-d5"])


@pytest.mark.parametrize(
    ("known", "seen"),
    [(TUESDAY, MONDAY), (TUESDAY, "d4"), (TUESDAY, "20261124T080000Z"), (MONDAY, "not-of-ours")],
)
def test_what_was_issued_before_or_does_not_say_when_went_back(known: str, seen: str) -> None:
    assert went_back(known, seen) == f"{seen} is in force, and {known}, which was issued later, was before"
    assert newest(known, seen) == known


@pytest.mark.parametrize(
    ("known", "seen"), [(MONDAY, TUESDAY), (MONDAY, OTHER_MONDAY), (MONDAY, MONDAY), (None, MONDAY)]
)
def test_what_is_as_late_did_not(known: str | None, seen: str) -> None:
    assert went_back(known, seen) is None
    assert newest(known, seen) == seen


@pytest.mark.parametrize(("known", "seen"), [(None, None), (MONDAY, None), (None, "d4")])
def test_of_what_was_not_seen_nothing_is_concluded(known: str | None, seen: str | None) -> None:
    assert went_back(known, seen) is None
    assert newest(known, seen) == known


@given(st.lists(revisions, max_size=8))
def test_what_is_known_never_goes_back(seen: list[str | None]) -> None:
    known: str | None = None
    for one in seen:
        before, known = known, newest(known, one)
        assert went_back(before, known) is None
