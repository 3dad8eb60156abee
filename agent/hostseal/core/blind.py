"""Intervals in which nobody looked: the machine slept, or this process was stopped."""

import msgspec

SLEPT_SECONDS = 1.0
FROZEN_SECONDS = 10.0


class Moment(msgspec.Struct, frozen=True):
    """One reading of the clocks, in seconds: `boot` runs on while the machine sleeps, `awake` does not."""

    boot: float
    awake: float


class Blind(msgspec.Struct, frozen=True):
    """Why nobody looked, and for how many seconds."""

    cause: str
    seconds: float


def between(before: Moment, now: Moment) -> Blind | None:
    """Return the blind interval between two readings that were to be a second apart, None when there was none.

    CLOCK_BOOTTIME runs ahead of CLOCK_MONOTONIC by the time asleep (clock_gettime(2)). A process that was stopped, or got no
    turn for so long, sees both jump.
    """
    asleep = (now.boot - before.boot) - (now.awake - before.awake)
    if asleep > SLEPT_SECONDS:
        return Blind("suspended", asleep)
    stopped = now.awake - before.awake
    return Blind("frozen", stopped) if stopped > FROZEN_SECONDS else None
