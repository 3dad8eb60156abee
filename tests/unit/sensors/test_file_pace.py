"""When the reader pauses, and how long a written file may stay open unseen."""

import pytest

from hostseal.ports import RawChange
from hostseal.sensors import file_unclosed
from hostseal.sensors.file_pace import BUSY_READS, BUSY_RECORDS, PAUSE_SECONDS, STAYS_SECONDS, Pace
from hostseal.sensors.file_unclosed import SECONDS, Unclosed


def test_a_short_command_is_read_at_once() -> None:
    pace = Pace()
    assert [pace.pause(3, at / 1000, more=False) for at in range(BUSY_READS - 1)] == [0.0] * (BUSY_READS - 1)


def test_many_records_or_many_reads_make_it_wait_and_quiet_ends_that() -> None:
    pace = Pace()
    assert pace.pause(BUSY_RECORDS, 1.0, more=False) == PAUSE_SECONDS
    assert pace.pause(1, 1.0 + STAYS_SECONDS / 2, more=False) == PAUSE_SECONDS
    assert pace.pause(1, 1.1 + STAYS_SECONDS, more=False) == 0.0
    assert [pace.pause(1, 2.0, more=False) for _ in range(BUSY_READS)][-1] == PAUSE_SECONDS


def test_it_does_not_wait_while_programs_begin_for_short_ones_are_gone_at_once() -> None:
    pace = Pace()
    assert [pace.pause(3, at / 1000, more=False, begun=True) for at in range(100)] == [0.0] * 100
    assert pace.pause(BUSY_RECORDS, 0.11, more=False) == 0.0, "the next may follow"
    assert pace.pause(BUSY_RECORDS, 0.11 + STAYS_SECONDS, more=False) == PAUSE_SECONDS


def test_it_never_waits_while_there_is_more_to_read() -> None:
    assert Pace().pause(10 * BUSY_RECORDS, 1.0, more=True) == 0.0


def test_a_file_that_stays_open_is_handed_on_once_and_a_closed_one_is_not() -> None:
    unclosed: Unclosed[RawChange] = Unclosed()
    first = RawChange(path=b"/etc/held", what="modified", at=1.0)
    for change in (first, RawChange(path=b"/etc/held", what="modified", at=2.0)):
        unclosed.add(change)
    unclosed.add(RawChange(path=b"/etc/closed", what="modified", at=1.5))
    unclosed.closed(b"/etc/closed")
    assert unclosed.due(1.0 + SECONDS / 2) == []
    assert unclosed.due(1.0 + SECONDS) == [first]
    assert unclosed.due(100.0) == []


def test_beyond_the_limit_the_oldest_wait_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_unclosed, "LIMIT", 2)
    unclosed: Unclosed[RawChange] = Unclosed()
    for n in range(3):
        unclosed.add(RawChange(path=b"/etc/%d" % n, what="modified", at=1.0))
    assert [change.path for change in unclosed.due(1.0)] == [b"/etc/0"]
