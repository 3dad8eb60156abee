"""Lengths of time on the command line."""

import click
import pytest

from hostseal.cli.duration import DURATION


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90.0), ("10m", 600.0), ("1h", 3600.0), ("7d", 604800.0)]
)
def test_a_length_of_time_becomes_seconds(text: str, seconds: float) -> None:
    assert DURATION.convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "0s", "-1m", "1.5h", "10 m", "10w", "1234567s"])
def test_another_is_refused_and_told_what_would_do(text: str) -> None:
    with pytest.raises(click.BadParameter, match="like 90s, 10m, 1h, 7d"):
        DURATION.convert(text, None, None)
