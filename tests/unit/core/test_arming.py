"""The login gate's arming: nobody is locked out by accident, whatever happens in whatever order."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hostseal.core import arming
from hostseal.core.arming import Arming, GateState
from hostseal.core.event import timestamp
from hostseal.errors import ArmingError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
REVERT = 600.0


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_gate_never_proven_refuses_nobody() -> None:
    assert not Arming().refuses


def test_a_proven_way_in_starts_a_trial_that_ends_by_itself() -> None:
    trial = arming.proven(Arming(), "b:7", NOW, REVERT)
    assert (trial.state, trial.until, trial.refuses) == (GateState.TRIAL, timestamp(later(600)), True)
    assert not arming.due(trial, later(599))
    assert arming.due(trial, later(600))
    reverted = arming.off(trial, "nobody confirmed it in time", later(600))
    assert (reverted.state, reverted.proven) == (GateState.OFF, "b:7")


def test_a_new_connection_confirms_and_an_armed_gate_has_no_end() -> None:
    trial = arming.proven(Arming(), "b:7", NOW, REVERT)
    armed = arming.confirmed(trial, "b:8", timestamp(later(5)), later(10))
    assert (armed.state, armed.until, armed.proven, armed.confirmed) == (GateState.ARMED, None, "b:7", "b:8")
    assert not arming.due(armed, later(10**6))
    assert arming.proven(armed, "b:9", later(20), REVERT) == armed


@pytest.mark.parametrize(
    ("session", "opened", "at", "why"),
    [
        pytest.param("b:7", timestamp(later(5)), 10, "older than the trial", id="the session that proved it"),
        pytest.param("b:6", timestamp(later(-5)), 10, "older than the trial", id="opened before"),
        pytest.param(None, None, 10, "not an SSH session", id="no session"),
        pytest.param("b:8", timestamp(later(5)), 600, "trial is over", id="too late"),
    ],
)
def test_what_shows_nothing_does_not_confirm(
    session: str | None, opened: str | None, at: float, why: str
) -> None:
    trial = arming.proven(Arming(), "b:7", NOW, REVERT)
    with pytest.raises(ArmingError, match=why):
        arming.confirmed(trial, session, opened, later(at))


@pytest.mark.parametrize("state", [Arming(), Arming(state=GateState.ARMED, since=timestamp(NOW))])
def test_only_a_trial_is_confirmed(state: Arming) -> None:
    with pytest.raises(ArmingError, match="nothing to confirm"):
        arming.confirmed(state, "b:8", timestamp(later(5)), later(10))


def test_the_session_that_proved_a_gate_does_not_arm_it_again_by_a_second_channel() -> None:
    disarmed = arming.off(arming.proven(Arming(), "b:7", NOW, REVERT), "disarmed", later(1))
    assert arming.proven(disarmed, "b:7", later(2), REVERT) == disarmed
    assert arming.proven(disarmed, "b:8", later(2), REVERT).state is GateState.TRIAL


class Gate(RuleBasedStateMachine):
    """Whatever comes in whatever order: it refuses only after a proof, and for long only after a confirmation."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.arming = NOW, Arming()
        self.proofs: list[datetime] = []
        self.confirmations: list[datetime] = []

    @rule(seconds=st.floats(0, 900))
    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        if arming.due(self.arming, self.now):
            self.arming = arming.off(self.arming, "nobody confirmed it in time", self.now)

    @rule(session=st.sampled_from("abc"))
    def break_glass_works(self, session: str) -> None:
        self.arming = arming.proven(self.arming, session, self.now, REVERT)
        self.proofs.append(self.now)

    @rule(session=st.sampled_from("abcd"), age=st.floats(0, 100))
    def somebody_confirms(self, session: str, age: float) -> None:
        try:
            self.arming = arming.confirmed(
                self.arming, session, timestamp(self.now - timedelta(seconds=age)), self.now
            )
            self.confirmations.append(self.now)
        except ArmingError:
            return

    @rule()
    def disarmed(self) -> None:
        self.arming = arming.off(self.arming, "disarmed", self.now)

    @invariant()
    def refusing_has_its_reasons(self) -> None:
        if not self.arming.refuses:
            return
        assert self.proofs
        assert self.confirmations or self.now - self.proofs[0] < timedelta(days=1)
        if self.arming.state is GateState.TRIAL:
            assert not arming.due(self.arming, self.now)
        else:
            assert self.arming.confirmed != self.arming.proven


TestGate = Gate.TestCase
TestGate.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
