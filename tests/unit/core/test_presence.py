"""Silence, a sequence that went back, a gap that does not close: each is raised once, and nothing else is."""

from hypothesis import given
from hypothesis import strategies as st

from hostseal.core import presence
from hostseal.core.presence import Alarm, Beat, Cause, Presence

EVERY = 30.0
PATIENCE = presence.INTERVALS * EVERY


def heard(at: float, last: int = 0, done: int | None = None, known: Presence | None = None) -> Presence:
    start = known or Presence(host="h", heard=at)
    return presence.beat(start, Beat(last_seq=last, done_seq=last if done is None else done), at)[0]


def test_a_host_is_silent_after_three_intervals_and_that_is_raised_once() -> None:
    known = heard(0)
    assert presence.due(known, PATIENCE, EVERY) == (known, ())
    silent, [alarm] = presence.due(known, PATIENCE + 1, EVERY)
    assert alarm.cause is Cause.SILENT
    assert presence.due(silent, 10 * PATIENCE, EVERY) == (silent, ())
    back = heard(11 * PATIENCE, known=silent)
    assert [a.cause for a in presence.due(back, 13 * PATIENCE, EVERY)[1]] == [Cause.SILENT]


def test_numbers_that_go_back_are_raised_once() -> None:
    known = heard(0, 9)
    after, alarms = presence.beat(known, Beat(last_seq=4, done_seq=4), 1)
    assert [alarm.reason for alarm in alarms] == ["its sequence went back from 9 to 4"]
    assert presence.beat(after, Beat(last_seq=4, done_seq=4), 2)[1] == ()


def test_a_gap_that_closes_is_not_raised() -> None:
    known = presence.arrived(heard(0, 5), [1, 2, 4, 5], 0)
    assert (known.complete, known.behind_since) == (2, 0)
    known = presence.arrived(known, [3, 4, 5], PATIENCE)
    assert (known.complete, known.behind_since) == (5, None)
    assert presence.due(known, PATIENCE, EVERY)[1] == ()


def test_a_gap_that_stays_is_raised_once_with_its_range() -> None:
    known = presence.arrived(heard(0, 5), [1, 2, 4, 5], 0)
    known = heard(PATIENCE, 5, known=known)
    known, [alarm] = presence.due(known, PATIENCE + 1, EVERY)
    assert (alarm.cause, alarm.key) == (Cause.GAP, "3-5")
    assert presence.due(presence.arrived(known, [], PATIENCE + 2), PATIENCE + 2, EVERY)[1] == ()


def test_progress_gives_a_gap_more_time() -> None:
    known = presence.arrived(heard(0, 9), [1, 2], 0)
    known = presence.arrived(heard(80, 9, known=known), [3], 80)
    assert presence.due(known, PATIENCE + 1, EVERY)[1] == ()


def test_events_that_wait_for_a_decision_are_no_gap() -> None:
    known = presence.arrived(heard(0, 9, done=2), [1, 2], 0)
    assert known.behind_since is None


def test_a_history_that_begins_late_is_no_gap() -> None:
    known = presence.arrived(heard(0, 12), [10, 11, 12], 0)
    assert (known.complete, known.behind_since) == (12, None)


STEPS = st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=40)


@given(STEPS)
def test_a_host_that_speaks_in_time_and_loses_nothing_is_never_flagged(steps: list[tuple[int, bool]]) -> None:
    """Whatever arrives late, and in whatever portions, as long as it arrives before patience ends."""
    now, last, sent = 0.0, 0, 0
    known = Presence(host="h", heard=now)
    raised: list[Alarm] = []
    for new, late in steps:
        now += EVERY
        last += new
        known, alarms = presence.beat(known, Beat(last_seq=last, done_seq=last), now)
        raised += alarms
        portion = range(sent + 1, last + (0 if late and last > sent else 1))
        known = presence.arrived(known, portion, now)
        sent = portion[-1] if portion else sent
        known, alarms = presence.due(known, now, EVERY)
        raised += alarms
        known = presence.arrived(known, range(sent + 1, last + 1), now + EVERY / 2)
        sent = last
    assert raised == []
