"""Whether a unit is at work, from lines as `systemctl show --property=ActiveState --property=Job` prints them."""

import pytest

from hostseal.actions.unit import has_work


@pytest.mark.parametrize(
    ("shown", "at_work"),
    [
        ("ActiveState=inactive\n", False),
        ("Job=\nActiveState=failed\n", False),
        ("Job=1432\nActiveState=inactive\n", True),
        ("Job=1432\nActiveState=failed\n", True),
        ("ActiveState=activating\n", True),
        ("ActiveState=deactivating\n", True),
        ("", False),
    ],
)
def test_a_start_that_waits_is_work(shown: str, at_work: bool) -> None:
    assert has_work(shown) is at_work
