"""A flood of lines in sshd's name is one event a minute for each user, with their number."""

from hypothesis import given
from hypothesis import strategies as st

from hostseal.core.forgery import EVERY_SECONDS, USERS_KEPT, Forgeries


def test_the_first_is_reported_at_once_and_the_next_with_their_number_when_the_minute_is_over() -> None:
    table, count = Forgeries().seen(1000, 5.0)
    assert count == 1
    for _ in range(9):
        table, count = table.seen(1000, 6.0)
        assert count == 0
    assert table.due(5.0 + EVERY_SECONDS - 1)[1] == {}
    table, over = table.due(5.0 + EVERY_SECONDS)
    assert over == {1000: 9}
    assert table.due(1e9)[1] == {}


def test_one_after_a_minute_brings_those_that_were_not_reported() -> None:
    table, _ = Forgeries().seen(1000, 5.0)
    table, _ = table.seen(1000, 6.0)
    assert table.seen(1000, 5.0 + EVERY_SECONDS)[1] == 2


def test_each_user_has_a_minute_of_his_own() -> None:
    table, _ = Forgeries().seen(1000, 5.0)
    assert table.seen(1001, 5.0)[1] == 1


def test_the_table_is_bounded() -> None:
    table = Forgeries()
    for uid in range(USERS_KEPT + 10):
        table, _ = table.seen(uid, 1.0)
    assert len(table.by_uid) == USERS_KEPT


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 30)), max_size=60))
def test_every_one_is_counted_once_and_no_user_is_reported_twice_in_a_minute(
    steps: list[tuple[int, float]],
) -> None:
    table, now, counted = Forgeries(), 0.0, 0
    reports: dict[int, float] = {}
    for uid, wait in steps:
        now += wait
        table, count = table.seen(uid, now)
        if count:
            counted += count
            assert now - reports.get(uid, -EVERY_SECONDS) >= EVERY_SECONDS
            reports[uid] = now
    counted += sum(table.due(now + EVERY_SECONDS)[1].values())
    assert counted == len(steps)
