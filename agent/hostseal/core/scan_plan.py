"""Which part of the sealed trees is scanned next, and what becomes of a scan that does not end.

At most one job waits for each cause and pace, so that the queue is bounded whatever happens: what is asked meanwhile
widens it. A job that runs takes nothing in any more, for what it has passed it does not see again; one in the background
gives way to an urgent one, a few times.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from hostseal.core.backoff import delay
from hostseal.core.scopes import merged


class Cause(StrEnum):
    """Why a scan is made; in the order in which they take their turns."""

    LOSS = "loss"
    MOUNT = "mount"
    MAPS = "maps"
    DEMAND = "demand"
    START = "start"


class Pace(StrEnum):
    """`urgent`: the newest first, against a deadline. `rest`: all of it, when nothing else wants the machine."""

    URGENT = "urgent"
    REST = "rest"


class Outcome(StrEnum):
    """How a scan ended."""

    DONE = "done"
    LATE = "late"
    GAVE_WAY = "gave_way"
    FAILED = "failed"


GIVES_WAY = 3
"""How often one job is broken off for an urgent one. It begins anew, and what it has read it does not read again."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A scan to make. `asked` names what waits for it, each once; `due` is a monotonic time."""

    cause: Cause
    scope: tuple[bytes, ...]
    asked: frozenset[int] = frozenset()
    pace: Pace = Pace.URGENT
    attempts: int = 0
    gave_way: int = 0
    due: float = 0.0


class Plan:
    """The jobs that wait, and the one that runs. Not safe for threads."""

    def __init__(self, attempts: int) -> None:
        """`attempts` is how often a job is tried until it is given up."""
        self._attempts = attempts
        self._waiting: dict[tuple[Pace, Cause], Job] = {}
        self.running: Job | None = None

    @property
    def waiting(self) -> tuple[Job, ...]:
        """The jobs that wait, by their turns."""
        turns = ((pace, cause) for pace in Pace for cause in Cause)
        return tuple(self._waiting[turn] for turn in turns if turn in self._waiting)

    def ask(
        self,
        cause: Cause,
        scope: Iterable[bytes],
        asked: Iterable[int] = (),
        pace: Pace = Pace.URGENT,
    ) -> None:
        """Have a scope scanned from now on."""
        self._put(Job(cause=cause, scope=merged(scope), asked=frozenset(asked), pace=pace))

    def next_due(self) -> float | None:
        """Return when :meth:`begin` next has something."""
        return min((job.due for job in self._waiting.values()), default=None)

    def begin(self, now: float) -> Job | None:
        """Return the job to run now; it is running from here on. None while another runs or none is due."""
        if self.running is not None:
            return None
        self.running = next((job for job in self.waiting if job.due <= now), None)
        if self.running is not None:
            del self._waiting[self.running.pace, self.running.cause]
        return self.running

    def gives_way(self, now: float) -> bool:
        """Tell whether the running job is one for the background while an urgent one is due."""
        job = self.running
        if job is None or job.pace is not Pace.REST or job.gave_way >= GIVES_WAY:
            return False
        return any(one.pace is Pace.URGENT and one.due <= now for one in self._waiting.values())

    def ended(self, outcome: Outcome, now: float) -> Job | None:
        """Take how the running job ended; return it when it is given up, so that somebody says so."""
        job, self.running = self.running, None
        if job is None or outcome is Outcome.DONE:
            return None
        if outcome is Outcome.LATE and job.pace is Pace.URGENT:
            self._put(replace(job, pace=Pace.REST, due=now))
            return None
        if outcome is Outcome.GAVE_WAY:
            self._put(replace(job, gave_way=job.gave_way + 1, due=now))
            return None
        attempts = job.attempts + 1
        if attempts >= self._attempts:
            return replace(job, attempts=attempts)
        self._put(replace(job, attempts=attempts, due=now + delay(attempts)))
        return None

    def drop(self) -> tuple[Job, ...]:
        """Forget what waits, and return it."""
        dropped = self.waiting
        self._waiting.clear()
        return dropped

    def _put(self, job: Job) -> None:
        turn = job.pace, job.cause
        known = self._waiting.get(turn)
        if known is None:
            self._waiting[turn] = job
            return
        self._waiting[turn] = Job(
            cause=job.cause,
            scope=merged(known.scope, job.scope),
            asked=known.asked | job.asked,
            pace=job.pace,
            attempts=max(known.attempts, job.attempts),
            gave_way=max(known.gave_way, job.gave_way),
            due=min(known.due, job.due),
        )
