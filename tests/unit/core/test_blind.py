"""Blind intervals, by two clocks. A suspended machine is simulated by what its clocks say."""

import pytest

from hostseal.core.blind import Blind, Moment, between


@pytest.mark.parametrize(
    ("now", "found"),
    [
        pytest.param(Moment(101.0, 51.0), None, id="a second later"),
        pytest.param(Moment(101.9, 51.0), None, id="clocks read one after the other"),
        pytest.param(Moment(3701.0, 51.0), Blind("suspended", 3600.0), id="an hour asleep"),
        pytest.param(Moment(115.0, 65.0), Blind("frozen", 15.0), id="stopped for 15 s"),
        pytest.param(Moment(109.0, 59.0), None, id="busy for 9 s"),
    ],
)
def test_an_interval_is_told_by_both_clocks(now: Moment, found: Blind | None) -> None:
    assert between(Moment(100.0, 50.0), now) == found
