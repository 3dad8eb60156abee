"""When sessions are looked at, and which login shells are commands in disguise."""

from hypothesis import given
from hypothesis import strategies as st

from hostseal.core import watching
from hostseal.core.watching import AFTER_CLOSE, FIRST_LOOKS, LATER_EVERY, LOGIN_SHELL_GRACE, Watched

SHELL, OTHER = (12, 900), (13, 950)


def test_looks_rise_and_go_on_slowly_while_the_session_lives() -> None:
    session, seen = watching.opened({}, 100.0), []
    for _ in range(8):
        seen.append(session.due)
        session = watching.looked(session, session.due)
    last = 100.0 + FIRST_LOOKS[-1]
    assert seen == [*(100.0 + after for after in FIRST_LOOKS), last + LATER_EVERY, last + 2 * LATER_EVERY]


def test_a_new_channel_is_looked_at_often_again() -> None:
    session = watching.looked(watching.opened({}, 100.0), 200.0)
    assert watching.channel(session, "command", 250.0).due == 250.0 + FIRST_LOOKS[0]


def test_after_the_end_there_are_two_looks_and_no_more() -> None:
    session = watching.closed(watching.opened({}, 100.0), 200.0)
    assert session.looks == tuple(200.0 + after for after in AFTER_CLOSE)
    after = watching.looked(watching.looked(session, session.looks[0]), session.looks[1])
    assert (after.looks, after.due) == ((), float("inf"))


def test_a_late_channel_does_not_wake_a_session_that_has_ended() -> None:
    session = watching.closed(watching.opened({}, 100.0), 200.0)
    assert watching.channel(session, "command", 201.0).looks == session.looks


def test_a_login_shell_that_the_journal_told_of_is_what_it_says() -> None:
    session = watching.login_shell(watching.opened({}, 100.0), SHELL, 100.1)
    assert not watching.in_disguise(session, SHELL, 100.1)
    told = watching.channel(session, "shell_no_pty", 100.2)
    assert not watching.in_disguise(told, SHELL, 200.0)


def test_one_that_nobody_told_of_is_a_command_in_disguise_once_its_grace_is_over() -> None:
    session = watching.channel(
        watching.login_shell(watching.opened({}, 100.0), SHELL, 100.1), "command", 100.2
    )
    due = 100.1 + LOGIN_SHELL_GRACE
    assert due in session.looks
    assert watching.in_disguise(session, SHELL, due)


def test_of_two_login_shells_and_one_shell_told_of_the_second_is_in_disguise() -> None:
    session = watching.channel(watching.opened({}, 100.0), "shell_no_pty", 100.0)
    session = watching.login_shell(watching.login_shell(session, SHELL, 100.1), OTHER, 100.2)
    assert [watching.in_disguise(session, one, 200.0) for one in (SHELL, OTHER)] == [False, True]


def test_an_orphan_counts_once_it_has_lived_on() -> None:
    session = watching.orphan(watching.orphan(watching.opened({}, 100.0), SHELL, 101.0), SHELL, 101.5)
    assert not watching.is_lasting(session, SHELL, 101.5)
    assert watching.is_lasting(session, SHELL, 102.0)
    assert not watching.is_lasting(session, OTHER, 102.0)


steps = st.lists(
    st.sampled_from(["channel", "shell", "look", "close", "login"]) | st.floats(0.01, 100.0), max_size=40
)


@given(steps)
def test_a_session_is_always_looked_at_again_until_it_has_ended(walk: list[str | float]) -> None:
    now, session = 0.0, watching.opened({}, 0.0)
    for step in walk:
        match step:
            case "channel":
                session = watching.channel(session, "command", now)
            case "shell":
                session = watching.channel(session, "shell_no_pty", now)
            case "look":
                session = watching.looked(session, now)
            case "close":
                session = session if session.closed else watching.closed(session, now)
            case "login":
                session = watching.login_shell(session, SHELL, now)
            case _:
                now += float(step)
        assert sorted(session.looks) == list(session.looks)
        assert session.looks or session.closed
        assert len(session.looks) <= len(FIRST_LOOKS) + 2


def test_what_was_said_stays_said() -> None:
    assert watching.said(watching.said(Watched(data={}), "a"), "b", "c").said == {"a", "b", "c"}


def test_what_is_remembered_of_one_session_is_bounded() -> None:
    session = watching.opened({}, 0.0)
    for pid in range(2 * watching.KEPT):
        session = watching.orphan(session, (pid, 1), float(pid))
        session = watching.said(session, str(pid))
    assert len(session.orphans) == watching.KEPT
    assert session.has_said_enough
