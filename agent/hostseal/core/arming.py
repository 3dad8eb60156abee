"""When the login gate may refuse: armed by a break-glass login that worked, kept only once it is confirmed. Pure.

off --proven--> trial --confirmed, from a new connection--> armed
trial --time is up--> off          any --disarmed, or the mode is no longer enforce--> off
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from hostseal.core.event import from_timestamp, timestamp
from hostseal.errors import ArmingError


class GateState(StrEnum):
    """Whether the gate refuses: never, until a time, always."""

    OFF = "off"
    TRIAL = "trial"
    ARMED = "armed"


class Arming(msgspec.Struct, frozen=True, kw_only=True):
    """The gate's state; `until` (RFC 3339) ends a trial, `proven` and `confirmed` name the sessions that did it."""

    state: GateState = GateState.OFF
    since: str | None = None
    until: str | None = None
    proven: str | None = None
    confirmed: str | None = None
    cause: str = "never proven"

    @property
    def refuses(self) -> bool:
        """Whether a login may be refused."""
        return self.state is not GateState.OFF


def proven(arming: Arming, session: str, now: datetime, revert_seconds: float) -> Arming:
    """Return the arming after a break-glass login has worked: an idle gate is on trial; else nothing changes."""
    if arming.refuses or session == arming.proven:
        return arming
    return Arming(
        state=GateState.TRIAL,
        since=timestamp(now),
        until=timestamp(now + timedelta(seconds=revert_seconds)),
        proven=session,
        cause="a break-glass login worked",
    )


def confirmed(arming: Arming, session: str | None, opened: str | None, now: datetime) -> Arming:
    """Return the armed gate; `session` asks for it and was opened at `opened` (RFC 3339).

    Raises ArmingError unless the gate is on trial and the session is another one, which came in through it.
    """
    if due(arming, now):
        raise ArmingError("the trial is over: the gate is off again", hint="log in by break-glass anew")
    if arming.state is not GateState.TRIAL or arming.since is None:
        raise ArmingError(f"the gate is {arming.state}: there is nothing to confirm")
    if session is None or opened is None:
        raise ArmingError("not an SSH session that the agent has seen", hint="confirm from a new connection")
    if session == arming.proven or from_timestamp(opened) <= from_timestamp(arming.since):
        raise ArmingError(
            "this connection is older than the trial", hint="open a new one: it shows that one can get in"
        )
    return Arming(
        state=GateState.ARMED,
        since=timestamp(now),
        proven=arming.proven,
        confirmed=session,
        cause="confirmed from a new connection",
    )


def due(arming: Arming, now: datetime) -> bool:
    """Return whether a trial's time is up."""
    return (
        arming.state is GateState.TRIAL and arming.until is not None and from_timestamp(arming.until) <= now
    )


def off(arming: Arming, cause: str, now: datetime) -> Arming:
    """Return the gate switched off; the session that proved the way in does not arm it again."""
    if not arming.refuses:
        return arming
    return Arming(since=timestamp(now), proven=arming.proven, cause=cause)
