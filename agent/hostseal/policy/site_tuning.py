"""Site data that tunes rules: their switches, and what one of them goes by."""

from enum import StrEnum
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from hostseal.core.history import KEPT, SPAN
from hostseal.policy.site_shape import Shape

Sessions = Annotated[int, Meta(ge=2, le=KEPT)]
RecentSeconds = Annotated[int, Meta(ge=1, le=int(SPAN.total_seconds()))]


class Severity(StrEnum):
    """How grave a finding is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class RuleSwitch(Shape, frozen=True, kw_only=True):
    """What the site makes of one rule; what is not said stays as the rule has it.

    A rule that is not `enabled` contributes nothing. `flags` says whether its findings flag the host.
    """

    enabled: bool | UnsetType = UNSET
    severity: Severity | UnsetType = UNSET
    flags: bool | UnsetType = UNSET


class RepeatedSessions(Shape, frozen=True, kw_only=True):
    """The interactive session on one host that escalates: the `count`-th of so many seconds."""

    count: Sessions
    within_seconds: RecentSeconds
