"""Watches the policy engine beside the decisions: what goes wrong with OPA or its decision log is an event of its own."""

import threading
from collections.abc import Callable
from typing import Any

import msgspec

from hostseal.core.engine_watch import SENSOR, Cause, News, Seen, Watched, lasting, look
from hostseal.core.event import EventType, timestamp
from hostseal.errors import SpoolError
from hostseal.log import Log
from hostseal.ports import Clock, Emit
from hostseal.spool.sqlite import SqliteSpool

_KEY = "engine_watch"


class DecisionLogWatch:
    """One supervised part of the agent. It asks for no decision, and none waits for it."""

    name = SENSOR

    def __init__(
        self,
        opa: Callable[[], Seen],
        emit: Emit,
        spool: SqliteSpool,
        clock: Clock,
        log: Log,
        every: float,
    ) -> None:
        self._opa, self._emit, self._spool, self._clock, self._log = opa, emit, spool, clock, log
        self._every = every
        self._known = self._recalled()
        self._last: Seen | None = None
        self._looked: str | None = None
        self._blind: str | None = None
        self._wake = threading.Event()
        self.first_look = threading.Event()

    @property
    def revision(self) -> str | None:
        """The policy's revision in force at the last look, None when that did not tell."""
        return self._last.status.revision if self._last and self._last.status else None

    @property
    def lost(self) -> int:
        """How often OPA threw entries of its decision log away, as far as was seen."""
        return self._known.lost

    def run(self, stop: threading.Event) -> None:
        """Look until `stop` is set."""
        while not stop.is_set():
            self.step()
            self._wake.wait(self._every)
            self._wake.clear()

    def wake(self) -> None:
        """Let :meth:`run` look again, or end."""
        self._wake.set()

    def step(self) -> None:
        """Look once, and tell what it adds up to. What cannot be recorded now is told after a later look."""
        seen, now = self._opa(), timestamp(self._clock.now())
        self._last, self._looked = seen, now
        self._say(seen)
        after, news = look(self._known, seen, now)
        try:
            for one in news:
                self._tell(one, now)
            if lasting(after) != lasting(self._known):
                self._spool.remember(_KEY, msgspec.json.encode(lasting(after)))
        except SpoolError as error:
            self._log("decision_log.unrecorded", level="error", error=error)
            return
        finally:
            self.first_look.set()
        self._known = after

    def _tell(self, news: News, now: str) -> None:
        begun = news.until is None
        moment = news.since or now
        self._emit(
            EventType.SENSOR_LOST,
            news.data(),
            sensor=SENSOR,
            key=f"{news.cause}:{moment if begun else now}:{'begun' if begun else 'over'}",
        )
        name = "decision_log.trouble" if begun else "decision_log.recovered"
        self._log(name, level="warning" if begun else "info", cause=news.cause, error=news.detail)

    def _say(self, seen: Seen) -> None:
        """Say once that OPA does not let itself be watched: that is no loss, and nobody would know of one."""
        if seen.why and seen.why != self._blind:
            self._log("decision_log.unwatched", level="warning", error=seen.why)
        self._blind = seen.why

    def status(self) -> dict[str, Any]:
        """Return what `hostseal status` shows."""
        seen = self._last.status if self._last else None
        return {
            "looked": self._looked,
            "revision": self.revision,
            "activated": seen.activated if seen else None,
            "release": msgspec.to_builtins(seen.release) if seen else None,
            "bundle_error": seen.bundle_error if seen else None,
            "upload_error": seen.upload_error if seen else None,
            "dropped": self._known.lost,
            "episodes": {
                cause: {"since": one.since, "detail": one.detail}
                for cause, one in self._known.episodes.items()
            },
            "unwatched": self._blind,
        }

    @property
    def trouble(self) -> str | None:
        """What a person should know, None when all is well; that OPA is down, the pipeline says itself."""
        told = {cause: one for cause, one in self._known.episodes.items() if one.told}
        names = [f"{cause}: {one.detail}" for cause, one in told.items() if cause != Cause.OPA_DOWN]
        return "; ".join(names) or (f"OPA is not watched: {self._blind}" if self._blind else None)

    def _recalled(self) -> Watched:
        kept = self._spool.recall(_KEY)
        try:
            return msgspec.json.decode(kept, type=Watched) if kept else Watched()
        except msgspec.DecodeError:
            return Watched()
