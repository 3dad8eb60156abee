"""What a bundle says of itself: from which commit, issued when, good for how long, and how far it may go."""

import datetime as dt
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hostseal.errors import PolicyError
from hostseal.policy.content import Content

STAGED = ("flag", "arm", "terminate_session", "lockdown_automation_only", "lockdown_closed", "refuse")
"""The actions that a stage holds back; `suspect`, `lift` and what only tells are never held back."""

ALL = 100
_PARTS = 3


class State(StrEnum):
    """How far a revision may go: nowhere, on a part of the hosts, everywhere."""

    OBSERVE = "observe"
    STAGED = "staged"
    PROMOTED = "promoted"


class Rollout(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """As the policies read it at `data.hostseal.rollout`; `stage_percent` is there when it is staged."""

    state: State
    stage_percent: dict[str, Annotated[int, Meta(ge=0, le=ALL)]] | None = None

    def __str__(self) -> str:
        """Return it as it is asked for on the command line."""
        parts = (self.stage_percent or {}).items()
        return ",".join(f"{action}={percent}" for action, percent in parts) or str(self.state)


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """`commit` as the revision has it; `max_age_seconds` counts from `issued`; no `rollout` leaves what there is."""

    commit: str | None = None
    issued: dt.datetime | None = None
    max_age_seconds: int | None = None
    rollout: Rollout | None = None

    def over(self, content: Content) -> Content:
        """Return the content with this said in it; PolicyError when it would never be, or at once be, too old."""
        if self.max_age_seconds is not None and self.issued is None:
            raise PolicyError(
                "a bundle with a greatest age needs the time it was issued",
                hint="give --issued, set SOURCE_DATE_EPOCH, or build from a commit",
            )
        said = {
            "issued": None if self.issued is None else rfc3339(self.issued),
            "max_age_seconds": self.max_age_seconds,
        }
        content = content.with_data("bundle", said)
        return (
            content
            if self.rollout is None
            else content.with_data("rollout", msgspec.to_builtins(self.rollout))
        )

    def revision(self, digest: str) -> str:
        """Return `TIME-COMMIT-DIGEST`, without what is not known: in the order of time when sorted as text."""
        time = None if self.issued is None else f"{self.issued.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"
        return "-".join(part for part in (time, self.commit, digest) if part)


def rollout(asked: str) -> Rollout:
    """Return what `observe`, `promoted`, `25` or `flag=10,refuse=5` asks for; actions not named get 0.

    PolicyError names what is wrong and what is allowed.
    """
    if asked in {State.OBSERVE, State.PROMOTED}:
        return Rollout(state=State(asked))
    if asked.isdecimal():
        return Rollout(state=State.STAGED, stage_percent=dict.fromkeys(STAGED, _percent(asked, asked)))
    percents, said = dict.fromkeys(STAGED, 0), set[str]()
    for part in asked.split(","):
        action, equals, percent = part.partition("=")
        if action in said:
            raise PolicyError(f"--stage: {part!r}: {action} has its part already")
        said.add(action)
        if not equals or action not in percents:
            allowed = f"observe, promoted, PERCENT or ACTION=PERCENT,... with {', '.join(STAGED)}"
            raise PolicyError(f"--stage: {part!r} is not one of {allowed}")
        percents[action] = _percent(percent, part)
    return Rollout(state=State.STAGED, stage_percent=percents)


def after(content: Content, time: dt.datetime, stage: Rollout) -> Release:
    """Return the release of the same content at another stage."""
    parts = (content.revision or "").split("-")
    said = content.data.get("hostseal", {}).get("bundle", {})
    return Release(
        commit=parts[1] if len(parts) == _PARTS else None,
        issued=time,
        max_age_seconds=said.get("max_age_seconds"),
        rollout=stage,
    )


def issued(content: Content) -> dt.datetime | None:
    """Return when this was issued; PolicyError when what it says is no time."""
    said: Any = content.data.get("hostseal", {}).get("bundle", {}).get("issued")
    return None if said is None else moment(said)


def moment(text: str) -> dt.datetime:
    """Return the time that RFC 3339 text or a number of seconds since 1970 says, in whole seconds; PolicyError for none."""
    try:
        if text.isdecimal():
            return dt.datetime.fromtimestamp(int(text), dt.UTC)
        found = dt.datetime.fromisoformat(text)
    except (AttributeError, ValueError, OverflowError, OSError) as error:
        raise PolicyError(f"{text!r} is no time", hint="like 2026-11-26T15:50:00Z") from error
    if found.tzinfo is None:
        raise PolicyError(f"{text!r} has no time zone", hint="like 2026-11-26T15:50:00Z")
    return found.astimezone(dt.UTC).replace(microsecond=0)


def rfc3339(time: dt.datetime) -> str:
    """Return the time as data has it, in UTC and whole seconds."""
    return f"{time.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def _percent(text: str, part: str) -> int:
    if not text.isdecimal() or int(text) > ALL:
        raise PolicyError(f"--stage: {part!r}: a part of the hosts is 0 to {ALL} percent")
    return int(text)
