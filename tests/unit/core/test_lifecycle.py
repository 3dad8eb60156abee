"""The life of a host: what may follow what, and what holds whatever happens."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hostseal.core import lifecycle
from hostseal.core.lifecycle import Hold, Incident, Instance, Life, Replacement, State
from hostseal.errors import IllegalTransitionError

OLD = Instance(
    slot="web-1", generation=3, id="i-3", image="sha256:0", name="lab-web-1-g3", address="10.0.0.3"
)
INCIDENT = Incident(id="incident-1", deadline="2026-11-24T12:00:00.000000Z", reasons=("a shell",))
HOLD = Hold(person="carol", reason="a demo", since="t0")
LIMIT = 3


def instance(generation: int) -> Instance:
    return Instance(slot="web-1", generation=generation, id=f"i-{generation}", image="sha256:1")


def begin(life: Life, now: str) -> Life:
    attempt = Replacement(
        token=f"t-{life.used}", began=now, successor=instance(life.used + 1), evidence="sha256:e"
    )
    return lifecycle.begun(life, attempt, now)


def create(life: Life, now: str) -> Life:
    successor = lifecycle.attempt(life).successor
    return lifecycle.created(life, replace(successor, name=f"lab-{successor.host}", address="10.0.0.9"), now)


STEPS: dict[str, Callable[[Life, str], Life]] = {
    "flag": lambda life, now: lifecycle.observed(life, State.FLAGGED, INCIDENT, now),
    "suspect": lambda life, now: lifecycle.observed(life, State.SUSPECT, None, now),
    "pardon": lambda life, now: lifecycle.observed(life, State.SEALED, None, now),
    "begin": begin,
    "create": create,
    "verify": lifecycle.verified,
    "fail": lambda life, now: lifecycle.failed(life, "broken", LIMIT, now),
    "retire": lambda life, now: lifecycle.retired(life, now)[1],
    "hold": lambda life, _now: lifecycle.held(life, HOLD),
    "unhold": lambda life, _now: lifecycle.unheld(life),
    "release": lifecycle.released,
    "clear": lambda life, _now: lifecycle.cleared(life),
}
ALLOWED = {
    "begin": {State.FLAGGED},
    "create": {State.REPLACING},
    "verify": {State.VERIFYING},
    "fail": {State.REPLACING, State.VERIFYING},
    "retire": {State.DRAINING},
    "release": {State.QUARANTINED},
}


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=60))
def test_whatever_is_tried_in_whatever_order_the_invariants_hold(tries: list[str]) -> None:
    life = lifecycle.born(OLD, "t0")
    for number, name in enumerate(tries):
        before = life
        may = before.state in ALLOWED.get(name, set(State))
        may = may and not (name == "begin" and (before.hold or before.leftover))
        try:
            life = STEPS[name](before, f"t{number:03}")
        except IllegalTransitionError:
            assert not may, f"{name} from {before}"
            continue
        assert may, f"{name} from {before}"
        assert (life.replacement is not None) == (life.state in lifecycle.BUSY)
        assert life.used >= before.used, "a generation is never used twice"
        assert life.used >= life.instance.generation
        assert (life.incident is not None) == (life.state not in {State.SEALED, State.SUSPECT})
        assert (life.state is State.QUARANTINED) <= (life.attempts >= LIMIT)
        if name in {"flag", "suspect", "pardon"} and before.state in lifecycle.BUSY | {State.QUARANTINED}:
            assert life == before, "news do not disturb a replacement"


def test_from_the_drain_on_there_is_no_way_back() -> None:
    life = lifecycle.observed(lifecycle.born(OLD, "t0"), State.FLAGGED, INCIDENT, "t1")
    draining = lifecycle.verified(create(begin(life, "t2"), "t3"), "t4")
    with pytest.raises(IllegalTransitionError):
        lifecycle.failed(draining, "late", LIMIT, "t5")
    gone, successor = lifecycle.retired(draining, "t5")
    assert (gone.state, gone.instance) == (State.RETIRED, OLD)
    assert (successor.state, successor.instance.host, successor.used) == (State.SEALED, "lab-web-1-g4", 4)


def test_another_instance_than_the_one_written_down_is_no_successor() -> None:
    life = begin(lifecycle.observed(lifecycle.born(OLD, "t0"), State.FLAGGED, INCIDENT, "t1"), "t2")
    with pytest.raises(IllegalTransitionError, match="written down"):
        lifecycle.created(life, replace(instance(4), id="another"), "t3")


@pytest.mark.parametrize(
    ("now", "deadline", "hold", "expected"),
    [
        ("2026-11-24T12:00:00.000000Z", INCIDENT.deadline, None, True),
        ("2026-11-24T11:59:59.999999Z", INCIDENT.deadline, None, False),
        ("2026-11-24T13:00:00.000000Z", None, None, False),
        ("2026-11-24T13:00:00.000000Z", INCIDENT.deadline, HOLD, False),
    ],
)
def test_a_host_is_due_once_its_deadline_has_come(
    now: str, deadline: str | None, hold: Hold | None, expected: bool
) -> None:
    incident = replace(INCIDENT, deadline=deadline)
    life = replace(lifecycle.observed(lifecycle.born(OLD, "t0"), State.FLAGGED, incident, "t1"), hold=hold)
    assert lifecycle.due(life, now) is expected
