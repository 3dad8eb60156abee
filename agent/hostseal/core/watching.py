"""When to look at a session's processes, and what was said of them already. Pure values; times are monotonic seconds."""

import math
from typing import Any

import msgspec
from msgspec.structs import replace

from hostseal.core.channel import Kind

FIRST_LOOKS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""After a session or a channel has opened: rising, for most of what matters happens at its start."""

LATER_EVERY = 60.0
AFTER_CLOSE = (2.0, 30.0)
LOGIN_SHELL_GRACE = 2.0
"""How long the journal may take to say that a channel is a shell, before a login shell counts as a command's."""

ORPHAN_GRACE = 1.0

KEPT = 1024
"""How much is remembered of one session: a connection may carry channels without end. It is enough to say of one."""


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """One session: its data as PAM gave it, when to look next, and what has been reported of it.

    `said` holds the keys of what was reported; `shells` counts the shells without a terminal that the journal told of;
    `login_shells` when each login shell without a terminal was first seen, by its process; `orphans` the same for each
    process of another user with nothing above it that would explain it.
    """

    data: dict[str, Any]
    looks: tuple[float, ...] = ()
    closed: bool = False
    shells: int = 0
    login_shells: dict[tuple[int, int], float] = {}
    orphans: dict[tuple[int, int], float] = {}
    said: frozenset[str] = frozenset()
    left: frozenset[tuple[int, int]] = frozenset()

    @property
    def has_said_enough(self) -> bool:
        """Whether no more is reported of it but what it leaves behind."""
        return len(self.said) >= KEPT

    @property
    def due(self) -> float:
        """When to look next; never, for a session that has been looked at for the last time."""
        return self.looks[0] if self.looks else math.inf


def opened(data: dict[str, Any], now: float) -> Watched:
    """Return a session to watch from `now` on."""
    return Watched(data=data, looks=_from(now))


def channel(session: Watched, kind: str, now: float) -> Watched:
    """Return the session after a channel of it was told of: it is looked at often again."""
    judging = (seen + LOGIN_SHELL_GRACE for seen in session.login_shells.values())
    return replace(
        session,
        looks=session.looks
        if session.closed
        else tuple(sorted({*_from(now), *(at for at in judging if at > now)})),
        shells=session.shells + int(kind == Kind.SHELL_NO_PTY),
    )


def closed(session: Watched, now: float) -> Watched:
    """Return the session after its end: it is looked at for what it left behind, soon and once more."""
    return replace(session, closed=True, looks=tuple(now + after for after in AFTER_CLOSE))


def looked(session: Watched, now: float) -> Watched:
    """Return the session after a look at `now`."""
    later = tuple(at for at in session.looks if at > now)
    return replace(session, looks=later if later or session.closed else (now + LATER_EVERY,))


def said(session: Watched, *keys: str) -> Watched:
    """Return the session with `keys` among what has been reported."""
    return replace(session, said=session.said | set(keys))


def login_shell(session: Watched, process: tuple[int, int], now: float) -> Watched:
    """Return the session with a login shell without a terminal seen at `now`; it is judged when its grace is over."""
    if process in session.login_shells:
        return session
    due = now + LOGIN_SHELL_GRACE
    return replace(
        session,
        login_shells=_noted(session.login_shells, process, now),
        looks=session.looks if session.closed else tuple(sorted({*session.looks, due})),
    )


def orphan(session: Watched, process: tuple[int, int], now: float) -> Watched:
    """Return the session with a process of another user seen at `now` that nothing above it explains."""
    return replace(session, orphans=_noted(session.orphans, process, now))


def is_lasting(session: Watched, process: tuple[int, int], now: float) -> bool:
    """Return whether an orphan lives on: one that does not was PAM's, read while the sshd above it was going."""
    return now - session.orphans.get(process, now) >= ORPHAN_GRACE


def in_disguise(session: Watched, process: tuple[int, int], now: float) -> bool:
    """Return whether a login shell is a command that calls itself one: its grace is over, and the journal told of fewer.

    Which of several it is cannot be known; the first ones are taken for the shells that were told of.
    """
    seen = session.login_shells.get(process, now)
    before = sum(1 for other in session.login_shells.values() if other < seen)
    return now - seen >= LOGIN_SHELL_GRACE and before >= session.shells


def left(session: Watched, processes: frozenset[tuple[int, int]]) -> Watched:
    """Return the session with the processes it was last reported to have left behind."""
    return replace(session, left=processes)


def _from(now: float) -> tuple[float, ...]:
    return tuple(now + after for after in FIRST_LOOKS)


def _noted(
    seen: dict[tuple[int, int], float], process: tuple[int, int], now: float
) -> dict[tuple[int, int], float]:
    if process in seen:
        return seen
    return dict([*seen.items(), (process, now)][-KEPT:])
