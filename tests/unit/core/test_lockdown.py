"""The lockdown's level only rises until a release, and what is written for sshd means nothing but what it says."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hostseal.core.decision import Action, Decision, Finding, LockdownTerms
from hostseal.core.event import Event, EventType, Host
from hostseal.core.lockdown import (
    AUTHORITY,
    Level,
    Lockdown,
    Release,
    asked,
    drop_in,
    is_automation,
    probes,
    raised,
    released,
)
from hostseal.errors import LockdownError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOST = Host(name="web-1", machine_id="m" * 32, boot_id="b" * 32)
TERMS = LockdownTerms(accounts=("deploy", "backup"))
ONLY, CLOSED = Action.LOCKDOWN_AUTOMATION_ONLY, Action.LOCKDOWN_CLOSED


def event(seq: int, kind: EventType = EventType.OPERATOR_ASKED, **data: object) -> Event:
    return Event(id=f"e{seq}", type=kind, time="t", seq=seq, host=HOST, data=data)


def decision(*actions: Action, terms: LockdownTerms | None = TERMS) -> Decision:
    found = Finding(rule="r", severity="high", message=f"because of {len(actions)}")
    return Decision(
        allowed=True, violations=(), findings=(found,), actions=actions, lockdown=terms if actions else None
    )


def release(seq: int, incident: str = "i") -> Event:
    return event(
        seq, EventType.LOCKDOWN_RELEASED, incident=incident, person="carol", reason="drill", nonce=f"n{seq}"
    )


def test_a_decision_raises_the_level_with_its_terms() -> None:
    assert raised(Lockdown(), event(7), decision(ONLY), "i", NOW) == Lockdown(
        level=Level.AUTOMATION_ONLY,
        incident="i",
        since="2026-11-24T12:00:00.000000Z",
        reasons=("because of 1",),
        terms=TERMS,
        seq=7,
    )


def test_a_higher_level_keeps_the_incident_and_the_lower_one_changes_nothing() -> None:
    first = raised(Lockdown(), event(1), decision(ONLY), "i", NOW)
    second = raised(first, event(2), decision(CLOSED), "j", NOW)
    assert (second.level, second.incident, second.seq) == (Level.CLOSED, "i", 2)
    assert raised(second, event(3), decision(ONLY), "k", NOW) == second


def test_a_release_opens_and_an_event_of_before_it_does_not_lock_again() -> None:
    locked = raised(Lockdown(), event(1), decision(CLOSED), "i", NOW)
    opened = released(locked, release(2))
    used = Release(incident="i", person="carol", reason="drill", nonce="n2", time="t")
    assert opened == Lockdown(releases=(used,), seq=2)
    assert raised(opened, event(1), decision(CLOSED), "i", NOW) == opened
    assert raised(opened, event(3), decision(CLOSED), "i", NOW).level is Level.CLOSED


def test_a_release_of_another_incident_or_of_an_open_host_changes_nothing() -> None:
    locked = raised(Lockdown(), event(1), decision(CLOSED), "i", NOW)
    assert released(locked, release(2, "j")) == locked
    assert released(Lockdown(), release(2)) == Lockdown()


STEPS = st.lists(st.sampled_from([(), (ONLY,), (CLOSED,), (Action.FLAG,), (Action.TERMINATE_SESSION, ONLY)]))


@given(STEPS)
def test_whatever_is_decided_the_level_never_falls_and_is_the_highest_asked_for(
    steps: list[tuple[Action, ...]],
) -> None:
    now = Lockdown()
    highest = Level.OPEN
    for seq, actions in enumerate(steps, 1):
        before, now = now, raised(now, event(seq), decision(*actions), "i", NOW)
        highest = max(highest, asked(decision(*actions)), key=lambda level: level.rank)
        assert now.level.rank >= before.level.rank
        assert raised(now, event(seq), decision(*actions), "i", NOW) == now
    assert now.level is highest


def test_automation_only_leaves_the_accounts_alone() -> None:
    body = drop_in(Level.AUTOMATION_ONLY, TERMS)
    assert body is not None
    assert b"\nMatch User !deploy,!backup,*\n" in body
    assert f"    TrustedUserCAKeys {AUTHORITY}\n".encode() in body


def test_closed_and_a_site_without_automation_shut_everybody_out() -> None:
    for body in (drop_in(Level.CLOSED, TERMS), drop_in(Level.AUTOMATION_ONLY, LockdownTerms())):
        assert body is not None
        assert b"\nMatch User *\n    AuthenticationMethods publickey\n" in body
    assert drop_in(Level.OPEN, TERMS) is None


def test_without_break_glass_no_authority_is_believed() -> None:
    body = drop_in(Level.CLOSED, replace(TERMS, without_break_glass=True))
    assert body is not None
    assert b"    TrustedUserCAKeys /dev/null\n" in body


@pytest.mark.parametrize(
    "name", ["*", "a,b", "!root", "a b", "a\nMatch all", "", "-x", "a" * 33, "a?", '"a"', "a=b", "ä", "a\n"]
)
def test_a_name_that_could_mean_more_is_never_written(name: str) -> None:
    terms = LockdownTerms(accounts=("deploy", name))
    with pytest.raises(LockdownError, match="no account's name"):
        drop_in(Level.AUTOMATION_ONLY, terms)
    with pytest.raises(LockdownError):
        probes(Level.CLOSED, terms)


@given(st.text())
def test_what_is_written_has_a_line_for_each_setting_and_no_more(name: str) -> None:
    try:
        body = drop_in(Level.AUTOMATION_ONLY, LockdownTerms(accounts=(name,)))
    except LockdownError:
        return
    plain = drop_in(Level.AUTOMATION_ONLY, LockdownTerms(accounts=("deploy",)))
    assert body is not None
    assert plain is not None
    assert body.replace(f"!{name},".encode(), b"!deploy,") == plain


def test_it_is_proven_for_root_and_somebody_and_when_closed_for_automation() -> None:
    assert [probe["user"] for probe in probes(Level.AUTOMATION_ONLY, TERMS)] == ["root", "hostseal-somebody"]
    closed = [probe["user"] for probe in probes(Level.CLOSED, TERMS)]
    assert closed == ["root", "hostseal-somebody", "deploy", "backup"]
    assert "authorizedkeysfile none" in probes(Level.CLOSED, TERMS)[0]["says"]


def test_automations_root_is_left_alone() -> None:
    terms = LockdownTerms(accounts=("root",))
    assert [p["user"] for p in probes(Level.AUTOMATION_ONLY, terms)] == ["hostseal-somebody"]


@pytest.mark.parametrize(
    ("session", "automation"),
    [
        ({"user": "deploy", "key": {"fingerprint": "SHA256:a"}}, True),
        ({"user": "deploy", "key": {"fingerprint": "SHA256:b"}}, False),
        ({"user": "deploy", "key": None}, True),
        ({"user": "alice", "key": {"fingerprint": "SHA256:a"}}, False),
        ({}, False),
    ],
)
def test_a_session_is_automations_by_account_and_listed_key(
    session: dict[str, object], automation: bool
) -> None:
    terms = LockdownTerms(accounts=("deploy",), key_fingerprints=("SHA256:a",))
    assert is_automation(session, terms) is automation
