"""Open sessions: one that shows no channel is a forward."""

from hostseal.core.session import KEPT, NO_CHANNEL_AFTER_SECONDS, Sessions


def test_a_session_without_a_channel_is_silent_once_due() -> None:
    table = Sessions().opened(7, {"user": "alice"}, 100.0)
    assert table.silent(100.0) == ()
    assert table.silent(100.0 + NO_CHANNEL_AFTER_SECONDS) == (7,)
    assert table.next_due() == 100.0 + NO_CHANNEL_AFTER_SECONDS


def test_a_channel_settles_a_session() -> None:
    table = Sessions().opened(7, {}, 100.0).channel(7)
    assert table.silent(1e9) == ()
    assert table.next_due() is None


def test_a_channel_that_is_seen_before_the_opening_counts() -> None:
    early = Sessions().channel(7)
    assert early.data(7) is None
    opened = early.opened(7, {"user": "alice"}, 100.0)
    assert opened.data(7) == {"user": "alice"}
    assert opened.silent(1e9) == ()


def test_a_closed_session_waits_a_moment_for_the_journal_and_then_is_silent() -> None:
    table = Sessions().opened(7, {}, 100.0).closed(7, 100.5)
    assert table.silent(101.0) == ()
    assert table.silent(101.5) == (7,)
    assert table.channel(7).silent(101.5) == ()


def test_an_ended_session_is_known_until_the_table_is_full_and_leaves_before_an_open_one() -> None:
    table = (
        Sessions()
        .opened(1, {"user": "open"}, 1.0)
        .opened(2, {"user": "ended"}, 1.0)
        .channel(2)
        .closed(2, 2.0)
    )
    assert table.data(2) == {"user": "ended"}
    for audit in range(3, KEPT + 2):
        table = table.opened(audit, {}, 3.0)
    assert (table.data(1), table.data(2)) == ({"user": "open"}, None)
