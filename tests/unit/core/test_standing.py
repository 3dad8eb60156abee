"""The standing: what each decision makes of it."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostseal.core import standing
from hostseal.core.decision import Action, Decision, Finding
from hostseal.core.event import Event, EventType, Host
from hostseal.core.ids import incident_id
from hostseal.core.standing import Standing, State

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOST = Host(name="web-1", machine_id="m", boot_id="b")


def event(kind: EventType, number: int = 1, **data: object) -> Event:
    if kind is EventType.SESSION_CHANNEL:
        data = {"session": {"audit_session": data.pop("audit", 7)}, **data}
    else:
        data = {"audit_session": data.pop("audit", 7), **data}
    return Event(
        id=f"e{number}", type=kind, time="2026-11-23T12:00:00.000000Z", seq=number, host=HOST, data=data
    )


def decision(*actions: Action, deadline: int | None = None) -> Decision:
    finding = Finding(rule="r", severity="high", message="alice opened a shell")
    return Decision(
        allowed=True, violations=(), findings=(finding,), actions=actions, deadline_seconds=deadline
    )


def test_an_opened_session_of_a_person_makes_the_host_suspect() -> None:
    opened = event(EventType.SESSION_OPENED, user="alice", key={"fingerprint": "SHA256:x"})
    after = standing.decided(Standing(), opened, decision(Action.SUSPECT), NOW)
    assert after.state is State.SUSPECT
    assert after.suspicions[0].fingerprint == "SHA256:x"


def test_a_channel_turns_suspect_into_flagged_and_ends_the_suspicion() -> None:
    suspect = standing.decided(
        Standing(), event(EventType.SESSION_OPENED, user="a"), decision(Action.SUSPECT), NOW
    )
    flagged = standing.decided(
        suspect, event(EventType.SESSION_CHANNEL, 2), decision(Action.FLAG, deadline=3600), NOW
    )
    assert flagged.state is State.FLAGGED
    assert flagged.suspicions == ()
    assert flagged.incident is not None
    assert flagged.incident.id == incident_id("e2")
    assert flagged.incident.deadline == "2026-11-23T13:00:00.000000Z"
    assert flagged.incident.reasons == ("alice opened a shell",)


@pytest.mark.parametrize(("answer", "state"), [(Action.LIFT, State.SEALED), (Action.FLAG, State.FLAGGED)])
@pytest.mark.parametrize("late", ["opened", "provisional"])
def test_an_opening_that_arrives_after_its_channel_leaves_no_suspicion(
    answer: Action, state: State, late: str
) -> None:
    channel, opened = event(EventType.SESSION_CHANNEL, 1), event(EventType.SESSION_OPENED, 2, user="alice")
    after = standing.decided(Standing(), channel, decision(answer), NOW)
    after = (
        standing.provisional(after, opened)
        if late == "provisional"
        else standing.decided(after, opened, decision(Action.SUSPECT), NOW)
    )
    assert (after.state, after.suspicions) == (state, ())


def test_a_channel_that_is_judged_on_a_flagged_host_leaves_no_suspicion_for_the_pardon_to_uncover() -> None:
    opened = event(EventType.SESSION_OPENED, 1, user="alice")
    suspect = standing.decided(Standing(), opened, decision(Action.SUSPECT), NOW)
    flagged = standing.decided(
        suspect, event(EventType.FILES_CHANGED, 2, audit=None), decision(Action.FLAG), NOW
    )
    after = standing.decided(flagged, event(EventType.SESSION_CHANNEL, 3), decision(), NOW)
    assert (after.state, after.suspicions) == (State.FLAGGED, ())


def test_a_channel_of_automation_does_not_move_the_standing() -> None:
    nothing_found = msgspec.structs.replace(decision(), findings=())
    after = standing.decided(Standing(), event(EventType.SESSION_CHANNEL, 1), nothing_found, NOW)
    assert after == Standing(seq=1)


def test_the_memory_of_judged_sessions_is_bounded() -> None:
    after = Standing()
    for number in range(standing.JUDGED_KEPT + 10):
        channel = event(EventType.SESSION_CHANNEL, number, audit=number)
        after = standing.decided(after, channel, decision(Action.LIFT), NOW)
    assert len(after.judged) == standing.JUDGED_KEPT
    assert after.judged[-1].endswith(f":{standing.JUDGED_KEPT + 9}")


def test_a_lift_ends_only_its_own_sessions_suspicion() -> None:
    both = Standing()
    for number, audit in ((1, 7), (2, 8)):
        opened = event(EventType.SESSION_OPENED, number, user="a", audit=audit)
        both = standing.decided(both, opened, decision(Action.SUSPECT), NOW)
    after = standing.decided(both, event(EventType.SESSION_CHANNEL, 3, audit=7), decision(Action.LIFT), NOW)
    assert [s.session for s in after.suspicions] == ["b:8"]


def test_a_provisional_suspicion_is_lifted_by_the_decision_that_does_not_ask_for_it() -> None:
    opened = event(EventType.SESSION_OPENED, user="deploy")
    suspect = standing.provisional(Standing(), opened)
    assert suspect.state is State.SUSPECT
    assert standing.decided(suspect, opened, decision(), NOW).state is State.SEALED


def test_more_evidence_joins_the_open_incident_and_can_only_bring_its_deadline_forward() -> None:
    first = standing.decided(
        Standing(), event(EventType.FILES_CHANGED, 1), decision(Action.FLAG, deadline=60), NOW
    )
    later = standing.decided(
        first, event(EventType.FILES_CHANGED, 2), decision(Action.FLAG, deadline=600), NOW
    )
    assert first.incident is not None
    assert later.incident is not None
    assert later.incident.id == first.incident.id
    assert later.incident.evidence == 2
    assert later.incident.deadline == first.incident.deadline


def test_a_pardon_takes_back_the_incident_it_names_and_a_redelivery_does_not_bring_it_back() -> None:
    opener = event(EventType.FILES_CHANGED, 1)
    flagged = standing.decided(Standing(), opener, decision(Action.FLAG), NOW)
    words = {"incident": incident_id("e1"), "person": "carol", "reason": "drill", "nonce": "n"}
    pardoned = standing.decided(flagged, event(EventType.FLAG_PARDONED, 2, **words), decision(), NOW)
    assert pardoned.state is State.SEALED
    assert pardoned.pardons[0].person == "carol"
    assert standing.decided(pardoned, opener, decision(Action.FLAG), NOW).state is State.SEALED
    other = event(EventType.FLAG_PARDONED, 3, **{**words, "incident": "another"})
    assert standing.decided(flagged, other, decision(), NOW).state is State.FLAGGED


KINDS = st.sampled_from([EventType.SESSION_OPENED, EventType.SESSION_CHANNEL, EventType.FILES_CHANGED])
ACTIONS = st.lists(st.sampled_from(list(Action)), unique=True, max_size=3)


@given(st.lists(st.tuples(KINDS, ACTIONS, st.integers(1, 3)), max_size=25))
def test_applying_a_decision_twice_is_applying_it_once(
    history: list[tuple[EventType, list[Action], int]],
) -> None:
    now = Standing()
    for number, (kind, actions, audit) in enumerate(history, 1):
        seen, said = event(kind, number, user="a", audit=audit), decision(*actions)
        now = standing.decided(now, seen, said, NOW)
        assert standing.decided(now, seen, said, NOW) == now


@given(st.lists(st.tuples(KINDS, ACTIONS, st.integers(1, 3)), max_size=25))
def test_nothing_but_a_pardon_ends_a_flag(history: list[tuple[EventType, list[Action], int]]) -> None:
    now = standing.decided(Standing(), event(EventType.FILES_CHANGED, 1000), decision(Action.FLAG), NOW)
    for number, (kind, actions, audit) in enumerate(history, 1):
        now = standing.decided(now, event(kind, number, user="a", audit=audit), decision(*actions), NOW)
    assert now.state is State.FLAGGED
    assert now.incident is not None
    assert now.incident.id == incident_id("e1000")


@pytest.mark.parametrize("action", list(Action))
def test_standing_survives_a_round_trip_through_its_file(action: Action) -> None:
    import msgspec

    now = standing.decided(Standing(), event(EventType.SESSION_OPENED, user="a"), decision(action), NOW)
    assert msgspec.json.decode(msgspec.json.encode(now), type=Standing) == now
