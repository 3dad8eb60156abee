"""Site data on what a finding leads to: responses, lockdowns and the time until a flagged host is replaced."""

from enum import StrEnum

from msgspec import UNSET, UnsetType

from hostseal.policy.site_shape import Name, Percent, Seconds, Shape


class Response(StrEnum):
    """What a finding may be answered with on a host in mode `enforce`, beyond its flag."""

    TERMINATE_SESSION = "terminate_session"
    LOCKDOWN_AUTOMATION_ONLY = "lockdown_automation_only"
    LOCKDOWN_CLOSED = "lockdown_closed"


class Severities(Shape, frozen=True, kw_only=True, omit_defaults=True):
    """The responses to all findings of a severity."""

    low: tuple[Response, ...] = ()
    medium: tuple[Response, ...] = ()
    high: tuple[Response, ...] = ()
    critical: tuple[Response, ...] = ()


class Responses(Shape, frozen=True, kw_only=True):
    """The responses to the findings of a rule, by its name, and to those of a severity; both count."""

    rules: dict[Name, tuple[Response, ...]]
    severities: Severities


class ExistingSessions(StrEnum):
    """What becomes of the SSH sessions of persons that are open when a lockdown comes into force."""

    KEEP = "keep"
    TERMINATE = "terminate"


class Lockdown(Shape, frozen=True, kw_only=True):
    """How a lockdown is done, and on how many of a hundred hosts this revision may do it."""

    existing_sessions: ExistingSessions
    stage_percent: Percent
    without_break_glass: bool


class SeverityDeadlines(Shape, frozen=True, kw_only=True):
    """Seconds until a host is replaced that a finding of a severity has flagged."""

    low: Seconds | UnsetType = UNSET
    medium: Seconds | UnsetType = UNSET
    high: Seconds | UnsetType = UNSET
    critical: Seconds | UnsetType = UNSET


class Deadlines(Shape, frozen=True, kw_only=True):
    """Shorter times than `deadline_seconds`, by the finding's severity and by the host's group; the shortest counts."""

    groups: dict[Name, Seconds]
    severities: SeverityDeadlines
