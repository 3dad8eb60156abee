"""What a host's heartbeats and event numbers say: silence, a sequence that went back, a gap that does not close."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec
from msgspec.structs import replace

INTERVALS = 3


class Cause(StrEnum):
    """Why the ledger flags a host by itself."""

    SILENT = "silent"
    ROLLBACK = "rollback"
    GAP = "gap"


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """One reason to flag a host; `key` tells it from others of its cause, so that it is raised once."""

    cause: Cause
    key: str
    reason: str


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """A heartbeat: the highest number in the host's spool, and the highest one whose event was acknowledged."""

    last_seq: int
    done_seq: int


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a host. Times are seconds that never go back.

    `heard`: the last heartbeat. `highest`: the highest number the host ever named. `complete`: every event up to
    it is here, or its absence was raised; None before the first event. `behind_since`: since when events that the
    host has acknowledged are missing here. `silent`: its silence has been raised, and it was not heard since.
    """

    host: str
    heard: float
    highest: int = 0
    done: int = 0
    complete: int | None = None
    behind_since: float | None = None
    silent: bool = False


def beat(known: Presence, heartbeat: Beat, now: float) -> tuple[Presence, tuple[Alarm, ...]]:
    """Return the presence after a heartbeat, and a rollback where its numbers went back.

    The lower number then counts as the host's own, so that one rollback is raised once.
    """
    after = replace(known, heard=now, silent=False, highest=heartbeat.last_seq, done=heartbeat.done_seq)
    if heartbeat.last_seq >= known.highest:
        return after, ()
    reason = f"its sequence went back from {known.highest} to {heartbeat.last_seq}"
    alarm = Alarm(cause=Cause.ROLLBACK, key=f"{known.highest}>{heartbeat.last_seq}", reason=reason)
    complete = None if known.complete is None else min(known.complete, heartbeat.last_seq)
    return replace(after, complete=complete, behind_since=None), (alarm,)


def arrived(known: Presence, numbers: Iterable[int], now: float) -> Presence:
    """Return the presence once the stored numbers above `complete` (rising) are looked at."""
    complete, highest = known.complete, known.highest
    for number in numbers:
        if complete is None:
            complete = number - 1
        if number == complete + 1:
            complete = number
        highest = max(highest, number)
    behind = complete is not None and complete < known.done
    since = known.behind_since
    if not behind or complete != known.complete:
        since = now if behind else None
    return replace(
        known, complete=complete, highest=highest, behind_since=now if behind and since is None else since
    )


def due(known: Presence, now: float, interval: float) -> tuple[Presence, tuple[Alarm, ...]]:
    """Return what is to be raised at `now`, with heartbeats expected every `interval` seconds; each is raised once."""
    patience = INTERVALS * interval
    alarms: list[Alarm] = []
    if not known.silent and now - known.heard > patience:
        reason = f"it has been silent for {INTERVALS} heartbeats of {interval:g} s"
        alarms.append(Alarm(cause=Cause.SILENT, key="", reason=reason))
        known = replace(known, silent=True)
    if known.behind_since is not None and known.complete is not None and now - known.behind_since > patience:
        first, last = known.complete + 1, known.done
        reason = f"of its events {first} to {last}, which it says it has handled, some never arrived"
        alarms.append(Alarm(cause=Cause.GAP, key=f"{first}-{last}", reason=reason))
        known = replace(known, complete=last, behind_since=None)
    return known, tuple(alarms)
