"""The history of findings: bounded in number and time, without the event itself, the same when an event comes again."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from hostseal.core import history, standing
from hostseal.core.decision import Decision, Finding
from hostseal.core.event import Event, EventType, Host, timestamp
from hostseal.core.history import KEPT, Found
from hostseal.core.standing import Standing

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOST = Host(name="web-1", machine_id="m", boot_id="b")


def event(name: str, hours: float = 0) -> Event:
    time = timestamp(START + timedelta(hours=hours))
    return Event(id=name, type=EventType.FILES_CHANGED, time=time, seq=1, host=HOST, data={})


def decision(*rules: str, exemption: str | None = None) -> Decision:
    findings = tuple(Finding(rule=rule, severity="low", message=".", exemption=exemption) for rule in rules)
    return Decision(allowed=True, violations=(), findings=findings, actions=())


def found(rule: str, name: str, hours: float = 0) -> Found:
    return Found(rule=rule, time=timestamp(START + timedelta(hours=hours)), event=name)


def test_each_rule_that_found_something_is_remembered_once_with_the_events_time() -> None:
    recent = history.after((), event("e1"), decision("a", "a", "b"))
    recent = history.after(recent, event("e2", 1), decision("a"))
    assert recent == (found("a", "e1"), found("b", "e1"), found("a", "e2", 1))


def test_what_is_exempted_is_not_remembered() -> None:
    exempted = decision("a", exemption="EX-1")
    assert history.after((), event("e1"), exempted) == ()
    assert not standing.may_move(event("e1"), exempted)
    assert standing.may_move(event("e1"), decision("a"))


def test_a_day_later_it_is_forgotten() -> None:
    recent = (found("a", "e1"), found("a", "e2", 0.5))
    assert history.before(recent, event("e3", 24)) == recent
    assert history.before(recent, event("e3", 24.25)) == recent[1:]
    assert history.after(recent, event("e3", 24.25), decision()) == recent[1:]


def test_a_clock_that_was_put_back_hides_nothing_within_a_day() -> None:
    ahead = (found("a", "e1", 2), found("a", "e2", 1000))
    assert history.before(ahead, event("e3")) == ahead[:1]


def test_a_flood_of_one_rule_does_not_hide_another() -> None:
    recent = (found("rare", "first"),)
    for number in range(KEPT * 2):
        recent = history.after(recent, event(f"e{number}"), decision("frequent"))
    assert len(recent) == KEPT
    assert recent[0] == found("rare", "first")
    assert recent[-1] == found("frequent", f"e{KEPT * 2 - 1}")


def test_the_policy_is_asked_with_the_past_and_without_the_event_itself() -> None:
    after = standing.decided(Standing(), event("e1"), decision("a"), START)
    asked = {"rule": "a", "time": "2026-11-23T12:00:00.000000Z", "event": "e1"}
    assert standing.question(after, event("e2")) == {"state": "sealed", "incident": None, "recent": [asked]}
    assert standing.question(after, event("e1"))["recent"] == []


RULES = st.lists(st.sampled_from(["a", "b", "c"]), max_size=3)


@settings(derandomize=True, deadline=None)
@given(st.lists(st.tuples(RULES, st.floats(-30, 30)), max_size=120))
def test_an_event_that_comes_again_changes_nothing_and_the_number_is_bounded(
    past: list[tuple[list[str], float]],
) -> None:
    recent: tuple[Found, ...] = ()
    for number, (rules, hours) in enumerate(past):
        once = history.after(recent, event(f"e{number}", hours), decision(*rules))
        again = history.after(once, event(f"e{number}", hours), decision(*rules))
        assert again == once
        assert len(once) <= KEPT
        assert {one.rule for one in once if one.event == f"e{number}"} == set(rules)
        assert f"e{number}" not in {one.event for one in history.before(once, event(f"e{number}", hours))}
        recent = once
