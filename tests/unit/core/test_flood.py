"""Of many of the same, some are reported, and how many more there were."""

from hypothesis import given
from hypothesis import strategies as st

from hostseal.core.flood import Flood, passed


def told(moments: list[float], limit: int) -> list[tuple[bool, int]]:
    flood, found = Flood(), []
    for moment in moments:
        flood, reported, unreported = passed(flood, moment, limit)
        found.append((reported, unreported))
    return found


def test_what_is_over_the_limit_is_counted_and_said_in_the_next_minute() -> None:
    assert told([0, 1, 2, 3, 59.9, 60, 61], 2) == [
        (True, 0),
        (True, 0),
        (False, 0),
        (False, 0),
        (False, 0),
        (True, 3),
        (True, 0),
    ]


def test_a_clock_that_is_set_back_begins_a_new_minute() -> None:
    assert told([100, 100, 50, 50], 1) == [(True, 0), (False, 0), (True, 1), (False, 0)]


@given(st.lists(st.floats(0, 1e6), max_size=60), st.integers(1, 5))
def test_nothing_is_lost_from_the_count(moments: list[float], limit: int) -> None:
    flood, reported, counted = Flood(), 0, 0
    for moment in moments:
        flood, one, unreported = passed(flood, moment, limit)
        reported, counted = reported + one, counted + unreported
    assert reported + counted + flood.kept_back == len(moments)
