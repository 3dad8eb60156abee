"""A lock between processes is waited for, and not for ever."""

import threading
import time
from pathlib import Path

import pytest

from hostseal.errors import LockedError
from hostseal.locking import locked


def test_a_second_holder_waits_for_the_first(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with locked(tmp_path / "lock", seconds=10):
            order.append("second")

    with locked(tmp_path / "lock"):
        thread = threading.Thread(target=second)
        thread.start()
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_a_lock_that_is_not_let_go_is_an_error_that_names_it(tmp_path: Path) -> None:
    began = time.monotonic()
    with (
        locked(tmp_path / "lock"),
        pytest.raises(LockedError, match="another process holds"),
        locked(tmp_path / "lock", seconds=0.2),
    ):
        pytest.fail("both hold it")
    assert time.monotonic() - began < 5
    with locked(tmp_path / "lock", seconds=0.2):
        pass
