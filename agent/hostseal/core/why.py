"""Why a decision is what it is: which rules spoke, which were kept from speaking, and what was held back."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

LOCKDOWNS = frozenset({"lockdown_automation_only", "lockdown_closed"})
RESPONSES = LOCKDOWNS | {"terminate_session"}
_ALL = 100


class Voice(StrEnum):
    """What became of what a rule said."""

    FIRED = "fired"
    EXEMPT = "exempt"
    OFF = "switched off"


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """A finding and what became of it; `asks` is what its rule asks for, `because` says who excused it or that it is off."""

    rule: str
    voice: Voice
    severity: str
    message: str
    controls: tuple[str, ...]
    asks: tuple[str, ...]
    because: str = ""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """An action that is not taken, and what holds it back."""

    action: str
    because: str


def spoken(
    decision: Mapping[str, Any], rules: Mapping[str, Any], site: Mapping[str, Any]
) -> tuple[Spoken, ...]:
    """Return what the rules say: first what is in the decision, then what the site's data switches off.

    `rules` has of each rule its own `findings` and `asks`, whatever the site's data makes of them.
    """
    in_decision = list(decision.get("findings", ()))
    heard = {one["rule"] for one in in_decision}
    silent = [
        one
        for name, said in sorted(rules.items())
        if name not in heard and _switch(site, name).get("enabled") is False
        for one in said["findings"]
    ]
    return tuple(_spoken(one, rules, site) for one in [*in_decision, *silent])


def _spoken(finding: Mapping[str, Any], rules: Mapping[str, Any], site: Mapping[str, Any]) -> Spoken:
    rule, switch = finding["rule"], _switch(site, finding["rule"])
    voice, because = Voice.FIRED, ""
    if switch.get("enabled") is False:
        voice, because = Voice.OFF, f"rules.{rule}.enabled is false"
    elif "exemption" in finding:
        voice, because = Voice.EXEMPT, _exemption(site, rule, finding["exemption"])
    elif switch.get("flags") is False:
        because = f"rules.{rule}.flags is false"
    elif switch.get("flags") is True:
        because = f"rules.{rule}.flags is true"
    return Spoken(
        rule=rule,
        voice=voice,
        severity=finding["severity"],
        message=finding["message"],
        controls=tuple(finding.get("controls", ())),
        asks=tuple(sorted(rules.get(rule, {}).get("asks", ()))),
        because=because,
    )


def _switch(site: Mapping[str, Any], rule: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = site.get("rules", {}).get(rule, {})
    return found


def _exemption(site: Mapping[str, Any], rule: str, name: str) -> str:
    for subject, some in site.get("exemptions", {}).get(rule, {}).items():
        for one in some:
            if one["id"] == name:
                return f"{name} for {subject}, by {one['owner']} until {one['expires']}: {one['reason']}"
    return str(name)


def held(decision: Mapping[str, Any], state: str, stage: Mapping[str, int]) -> tuple[Held, ...]:
    """Return the actions of the decision's `would`, each with what holds it back.

    `state` is how far the revision is rolled out, `stage` on how many hosts of a hundred it takes each action.
    """
    mode = (decision.get("host") or {}).get("mode")
    return tuple(
        Held(action=one, because=_because(one, mode, state, stage)) for one in decision.get("would", ())
    )


def _because(action: str, mode: str | None, state: str, stage: Mapping[str, int]) -> str:
    if mode == "observe":
        return "the host's mode is observe"
    if mode == "flag" and action in RESPONSES | {"refuse"}:
        return "the host's mode is flag"
    if state == "observe":
        return "this revision only observes until it is promoted"
    if state == "staged" and stage.get(action, 0) < _ALL:
        return f"this revision is staged: {action} on {stage.get(action, 0)} of 100 hosts"
    if action in LOCKDOWNS:
        return "the site's data: lockdown.stage_percent"
    return "the host's mode, or a gate that is not armed"
