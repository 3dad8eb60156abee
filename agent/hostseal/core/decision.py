"""What the policy answered; one shape for every entry point (architecture: Decisions)."""

from enum import StrEnum
from typing import Any, Literal

import msgspec

from hostseal.core.event import Profile
from hostseal.errors import UndefinedDecisionError


class Action(StrEnum):
    """What the policy can ask for. The host's own configuration maps it to a playbook (law 9).

    The first four are the agent's, the next three have a playbook each; a gate is asked to refuse a play or a login, the
    fleet to replace a host.
    """

    SUSPECT = "suspect"
    LIFT = "lift"
    FLAG = "flag"
    ARM = "arm"
    TERMINATE_SESSION = "terminate_session"
    LOCKDOWN_AUTOMATION_ONLY = "lockdown_automation_only"
    LOCKDOWN_CLOSED = "lockdown_closed"
    REFUSE = "refuse"
    REPLACE = "replace"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One rule's sentence about what it was asked. With the id of an `exemption` it asks for nothing."""

    rule: str
    severity: str
    message: str
    controls: tuple[str, ...] = ()
    exemption: str | None = None


class LockdownTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What site data says of a lockdown that is asked for: whom it leaves alone, and what becomes of open sessions.

    `existing_sessions` is `keep` or `terminate` (persons' sessions, but for those by a certificate of one of the
    break-glass `authorities`, which are fingerprints). `without_break_glass` allows a lockdown on a host where
    no certificate could let anybody in: the console is then the only way.
    """

    accounts: tuple[str, ...] = ()
    key_fingerprints: tuple[str, ...] = ()
    authorities: tuple[str, ...] = ()
    existing_sessions: Literal["keep", "terminate"] = "keep"
    without_break_glass: bool = False


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A decision; `would` holds the actions that a weaker mode kept back, `host` what the policy knows of it.

    `due` is said of a replacement only: its time has come, whether it is allowed or not. `lockdown` comes with the actions
    `lockdown_automation_only` and `lockdown_closed`.
    """

    allowed: bool
    violations: tuple[str, ...]
    findings: tuple[Finding, ...]
    actions: tuple[Action, ...]
    would: tuple[Action, ...] = ()
    deadline_seconds: int | None = None
    host: Profile | None = None
    due: bool | None = None
    lockdown: LockdownTerms | None = None


def parse(raw: Any) -> Decision:
    """Return the decision in `raw` (parsed JSON); raise UndefinedDecisionError when it is not one."""
    try:
        decision = msgspec.convert(raw, Decision)
    except msgspec.ValidationError as error:
        raise UndefinedDecisionError(f"the policy's answer is not a decision: {error}") from error
    if not decision.allowed and not decision.violations:
        raise UndefinedDecisionError("the policy's answer refuses without naming a violation")
    return decision
