"""Why a decision is what it is, from the decision, the rules' own words and the site's data."""

from typing import Any

import pytest

from hostseal.core.why import Held, Voice, held, spoken

FINDING = {"rule": "shell", "severity": "high", "message": "A shell.", "controls": ["NIST AC-17"]}
RULES = {"shell": {"findings": [FINDING], "asks": ["flag"]}, "quiet": {"findings": [], "asks": []}}


def test_a_rule_that_fired_is_told_with_what_it_asks_for() -> None:
    [one] = spoken({"findings": [FINDING]}, RULES, {})
    assert (one.rule, one.voice, one.severity, one.message) == ("shell", Voice.FIRED, "high", "A shell.")
    assert (one.controls, one.asks, one.because) == (("NIST AC-17",), ("flag",), "")


def test_a_rule_that_is_switched_off_is_told_though_the_decision_is_silent() -> None:
    [one] = spoken({"findings": []}, RULES, {"rules": {"shell": {"enabled": False}}})
    assert (one.voice, one.because) == (Voice.OFF, "rules.shell.enabled is false")
    assert spoken({"findings": []}, RULES, {"rules": {"quiet": {"enabled": False}}}) == ()


@pytest.mark.parametrize("flags", [True, False])
def test_a_flag_that_site_data_turns_is_told(flags: bool) -> None:
    [one] = spoken({"findings": [FINDING]}, RULES, {"rules": {"shell": {"flags": flags}}})
    assert (one.voice, one.because) == (Voice.FIRED, f"rules.shell.flags is {str(flags).lower()}")


def test_an_exemption_is_told_with_its_owner_reason_and_end() -> None:
    exemption = {"id": "E-1", "owner": "carol", "reason": "a migration", "expires": "2026-02-01T00:00:00Z"}
    site = {"exemptions": {"shell": {"host:web-1": [exemption]}}}
    [one] = spoken({"findings": [{**FINDING, "exemption": "E-1"}]}, RULES, site)
    assert one.voice is Voice.EXEMPT
    assert one.because == "E-1 for host:web-1, by carol until 2026-02-01T00:00:00Z: a migration"
    [unknown] = spoken({"findings": [{**FINDING, "exemption": "E-2"}]}, RULES, site)
    assert unknown.because == "E-2"


@pytest.mark.parametrize(
    ("action", "mode", "state", "because"),
    [
        ("flag", "observe", "staged", "the host's mode is observe"),
        ("terminate_session", "flag", "promoted", "the host's mode is flag"),
        ("refuse", "flag", "promoted", "the host's mode is flag"),
        ("flag", "flag", "observe", "this revision only observes until it is promoted"),
        ("flag", "enforce", "staged", "this revision is staged: flag on 10 of 100 hosts"),
        (
            "lockdown_closed",
            "enforce",
            "staged",
            "this revision is staged: lockdown_closed on 0 of 100 hosts",
        ),
        ("lockdown_closed", "enforce", "promoted", "the site's data: lockdown.stage_percent"),
        ("refuse", "enforce", "promoted", "the host's mode, or a gate that is not armed"),
    ],
)
def test_what_is_held_back_has_its_reason(action: str, mode: str, state: str, because: str) -> None:
    decision: dict[str, Any] = {"would": [action], "host": {"mode": mode}}
    assert held(decision, state, {"flag": 10}) == (Held(action=action, because=because),)


def test_nothing_held_back_has_none() -> None:
    assert held({}, "observe", {}) == ()
