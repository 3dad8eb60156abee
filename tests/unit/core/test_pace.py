"""A bound on how often something is done."""

from hypothesis import given
from hypothesis import strategies as st

from hostseal.core.pace import Pace


def test_as_many_at_once_as_in_a_second() -> None:
    pace = Pace(10)
    assert [pace.take(100.0) for _ in range(12)] == [True] * 10 + [False] * 2
    assert [pace.take(100.5) for _ in range(6)] == [True] * 5 + [False]


@given(st.lists(st.floats(0, 1), max_size=200), st.integers(1, 50))
def test_never_more_than_the_rate_and_its_burst(pauses: list[float], rate: int) -> None:
    pace, now, passed = Pace(rate), 0.0, 0
    for pause in pauses:
        now += pause
        passed += pace.take(now)
    assert passed <= rate * (now + 1) + 1e-6
