"""What holds of every decision on an event, whatever the site's data makes of the rules; asked of a real OPA."""

import json
import subprocess
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hostseal.core.decision import parse
from hostseal.policy.site import merge

ROOT = Path(__file__).parents[2]
SAMPLES = [json.loads(path.read_bytes()) for path in sorted((ROOT / "tests/samples/events").glob("*.json"))]
RULES = sorted(path.name for path in (ROOT / "policies/hostseal/rules").iterdir())
JUDGING = [*RULES, "exemption_expired"]
DEFAULTS = json.loads((ROOT / "policies/hostseal/site/data.json").read_bytes())
SITE = json.loads((ROOT / "tests/policy/site.json").read_bytes())
SEVERITIES = ["low", "medium", "high", "critical"]
STAGED = ["flag", "terminate_session", "lockdown_automation_only", "lockdown_closed", "arm"]
NEVER_STAGED = {"suspect", "lift"}
BEFORE, LATER = "2001-01-01T00:00:00Z", "2099-01-01T00:00:00Z"
# Each question is asked three times: as it is, with the revision promoted, and with the exemptions gone.
QUERY = """result := [answers |
  some asked in input
  site := asked.site
  answers := {
    "decision": decision_of(asked.input, site, asked.rollout),
    "promoted": decision_of(asked.input, site, {"state": "promoted"}),
    "unexempted": decision_of(asked.input, object.union(site, {"exemptions": null}), {"state": "promoted"}),
  }
]

decision_of(question, site, rollout) := decision if {
  decision := data.hostseal.event.decision with input as question
    with data.hostseal.site as site
    with data.hostseal.rollout as rollout
}
"""

SWITCH = st.fixed_dictionaries(
    {}, optional={"enabled": st.booleans(), "severity": st.sampled_from(SEVERITIES), "flags": st.booleans()}
)
RESPONSES = st.lists(
    st.sampled_from(["terminate_session", "lockdown_automation_only", "lockdown_closed"]), max_size=2
)
PERCENT = st.sampled_from([0, 50, 100])
ROLLOUT = st.one_of(
    st.sampled_from([{"state": "observe"}, {"state": "promoted"}, {"state": "another"}, {}]),
    st.builds(
        lambda percents: {"state": "staged", "stage_percent": percents},
        st.fixed_dictionaries({}, optional=dict.fromkeys(STAGED, PERCENT)),
    ),
)


@st.composite
def exemptions(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, rule in enumerate(draw(st.lists(st.sampled_from(RULES), max_size=8, unique=True))):
        subject = draw(st.sampled_from(["all", "host:flagging-1", "group:flagging", "user:alice"]))
        one = {
            "id": f"EX-{number}",
            "owner": "carol",
            "reason": "a test",
            "expires": draw(st.sampled_from([BEFORE, LATER])),
        }
        if draw(st.booleans()):
            one["paths"] = draw(st.sampled_from([["/etc/**"], ["/**"], ["/nowhere/*"]]))
        found[rule] = {subject: [one]}
    return found


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    sample = draw(st.sampled_from(SAMPLES))
    name = draw(st.sampled_from(["flagging-1", "observed-1", "enforcing-1", "unlisted"]))
    host = {**sample["host"], "name": name, "machine_id": f"{draw(st.integers(0, 2**128 - 1)):032x}"}
    recent = [
        {"rule": rule, "time": sample["time"], "event": f"e{number}"}
        for number, rule in enumerate(
            draw(st.lists(st.sampled_from(["interactive_session", "seal_broken"]), max_size=4))
        )
    ]
    state = draw(st.sampled_from(["sealed", "suspect", "flagged"]))
    site = {
        **SITE,
        "rules": draw(st.dictionaries(st.sampled_from(JUDGING), SWITCH, max_size=8)),
        "exemptions": draw(exemptions()),
        "responses": {
            "severities": draw(st.dictionaries(st.sampled_from(SEVERITIES), RESPONSES, max_size=2))
        },
        "deadlines": {
            "severities": draw(st.dictionaries(st.sampled_from(SEVERITIES), st.integers(1, 900), max_size=2))
        },
    }
    return {
        "input": {
            "event": {**sample, "host": host},
            "standing": {"state": state, "incident": None, "recent": recent},
        },
        "site": json.loads(msgspec.json.encode(merge(DEFAULTS, site, JUDGING))),
        "rollout": draw(ROLLOUT),
    }


def answers(opa: Path, folder: Path, asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    (folder / "input.json").write_text(json.dumps(asked))
    (folder / "query.rego").write_text(f"package composition\n\n{QUERY}")
    command = [
        opa, "eval", "--bundle", "policies", "--ignore", "*_test.rego", "--ignore", "schemas", "--format", "raw",
        "--data", folder / "query.rego", "--input", folder / "input.json", "data.composition.result",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert len(found) == len(asked)
    return found


def is_whole(decision: dict[str, Any]) -> None:
    parse(decision)
    assert decision["allowed"] is (decision["violations"] == [])
    assert not set(decision["actions"]) & set(decision["would"])
    assert (decision["deadline_seconds"] is not None) is ("flag" in both(decision))


def is_tuned(asked: dict[str, Any], decision: dict[str, Any]) -> None:
    """Check that a rule that is off says nothing, and that only a rule which may flag has flagged."""
    rules = asked["site"]["rules"]
    by_message = {finding["message"]: finding for finding in decision["findings"]}
    for finding in decision["findings"]:
        switch = rules.get(finding["rule"], {})
        assert switch.get("enabled") is not False
        assert finding["severity"] == switch.get("severity", finding["severity"])
    counted = [finding["rule"] for finding in decision["findings"] if "exemption" not in finding]
    flags = [rules.get(rule, {}).get("flags") for rule in counted]
    assert "flag" not in both(decision) or any(flag is not False for flag in flags)
    assert "flag" in both(decision) or not any(flag is True for flag in flags)
    for message in decision["violations"]:
        assert "flag" in decision["actions"]
        assert by_message[message]["rule"] in counted
        assert rules.get(by_message[message]["rule"], {}).get("flags") is not False


def is_exempted(asked: dict[str, Any], promoted: dict[str, Any], plain: dict[str, Any]) -> None:
    """Check that an exemption hides no finding, and that only one in force is applied."""
    for finding in promoted["findings"]:
        if "exemption" in finding:
            [[one]] = asked["site"]["exemptions"][finding["rule"]].values()
            assert (one["id"], one["expires"]) == (finding["exemption"], LATER)
    found = {finding["rule"] for finding in promoted["findings"]}
    without = {finding["rule"] for finding in plain["findings"]}
    assert "exemption_expired" not in without
    # What counts sessions that are exempted does not count them.
    assert without - {"repeated_sessions"} <= found <= {*without, "exemption_expired"}
    # An expired one may flag; where less is asked for, the lesser may be what is left.
    assert both(promoted) <= {*both(plain), "flag", "lift", "lockdown_automation_only"}


def is_staged(asked: dict[str, Any], decision: dict[str, Any], promoted: dict[str, Any]) -> None:
    """Check that a stage holds back, and does nothing else."""
    stage = asked["rollout"]
    assert decision["findings"] == promoted["findings"]
    assert both(decision) == both(promoted)
    percents = stage.get("stage_percent", {}) if stage.get("state") == "staged" else {}
    if stage.get("state") == "promoted" or all(percents.get(action) == 100 for action in STAGED):
        assert decision == promoted
    elif stage.get("state") != "staged":
        assert set(decision["actions"]) <= NEVER_STAGED
    for action in set(promoted["actions"]) & percents.keys():
        assert percents[action] != 0 or action in decision["would"]
        assert percents[action] != 100 or action in decision["actions"]
    assert NEVER_STAGED & set(decision["actions"]) == NEVER_STAGED & set(promoted["actions"])


def both(decision: dict[str, Any]) -> set[str]:
    return {*decision["actions"], *decision["would"]}


# Not shrunk: each try asks OPA 75 times, and the failing assertion names its one case already.
SETTINGS = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    max_examples=12,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)


@SETTINGS
@given(asked=st.lists(cases(), min_size=25, max_size=25))
def test_what_holds_of_every_decision(opa: Path, tmp_path: Path, asked: list[dict[str, Any]]) -> None:
    for one, answer in zip(asked, answers(opa, tmp_path, asked), strict=True):
        decision, promoted = answer["decision"], answer["promoted"]
        is_whole(decision)
        is_tuned(one, decision)
        is_exempted(one, promoted, answer["unexempted"])
        is_staged(one, decision, promoted)
