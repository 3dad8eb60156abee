"""Holds the host to its seal: judges what changed, scans what nobody saw, and says when the manifest is not to be believed."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from hostseal.config.seal import SealSettings
from hostseal.core import blind
from hostseal.core.attribution import Confidence, Writer
from hostseal.core.blind import Blind, Moment
from hostseal.core.change_set import PathChange
from hostseal.core.event import EventType
from hostseal.core.scan_plan import Cause, Job, Outcome, Pace, Plan
from hostseal.core.scopes import WHOLE
from hostseal.core.verdict import Sealed, Verdict
from hostseal.errors import SealError
from hostseal.ports import Clock, Emit, Seal
from hostseal.scans.belief import OpenSeal, believe
from hostseal.scans.child import Child, Ended
from hostseal.scans.judge import Judge, Looked
from hostseal.scans.owed import Ledger, Owed
from hostseal.scans.record import Record
from hostseal.scans.rest import LIMIT, Rest, alone, event
from hostseal.scans.standing import Standing
from hostseal.seal.index import SealIndex
from hostseal.seal.told import How, Told

NAMED = 200
LOOK_AGAIN = 1_000
LOOK_AGAIN_BYTES = 256 << 20
QUIET_SECONDS = 30.0
_IDLE_SECONDS = 2.0
_HOW = {Sealed.BROKEN: How.LIVE, Sealed.BY_DESIGN: How.BY_DESIGN}


class Live(Protocol):
    """What watches the same trees as they change."""

    def handed_on(self, before: float) -> bool:
        """Tell whether all that was seen before a monotonic time is on record."""

    def blind(self, interval: Blind) -> None:
        """Take the news that nobody looked for a while."""


Maps = Callable[[], Iterable[bytes]]
"""Returns the files of the sealed trees that a program holds mapped, shared and for writing."""


class Keeper:
    """Runs in a thread of its own; judging is done in the thread of whoever asks."""

    def __init__(
        self,
        settings: SealSettings,
        state: Path,
        emit: Emit,
        clock: Clock,
        judge: Judge,
        *,
        image: str | None,
        boottime: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
        child: Child | None = None,
        open_seal: OpenSeal = SealIndex.open,
    ) -> None:
        """`image` is the one the host enrolled with. SpoolError when the state cannot be used."""
        self._settings, self._folder, self._image = settings, state / "seal", image
        self._clock, self._boottime, self._open_seal = clock, boottime, open_seal
        self._record = Record(emit, clock)
        self._judge = judge
        self.live: Live | None = None
        self.maps: Maps | None = None
        self._maps_due = clock.monotonic() + settings.maps_seconds
        self._child = child or Child(settings, self._folder / "stat-cache")
        self._told = Told(self._folder)
        self._plan, self._owed = Plan(settings.attempts), Ledger()
        self._standing = Standing(settings)
        self._rests: list[Rest] = []
        self._resting: list[Rest] = []
        self._lock = threading.Condition()
        self._doubt = True
        self._files = {settings.manifest.encode(), settings.public_key.encode()}
        self._moment = self._now()

    def look(self, change: PathChange, writer: Writer, confidence: Confidence, budget: int) -> Looked:
        """Return what is at a changed path and how it stands to the seal, with at most `budget` bytes read."""
        return self._judge.look(change, writer, confidence, budget)

    def owe(self, loss: Owed, cause: Cause, scope: Iterable[bytes]) -> None:
        """Scan what a loss concerns; a later `sensor.lost` says that it was done."""
        with self._lock:
            self._plan.ask(cause, scope, [self._owed.add(loss)])
            self._lock.notify_all()

    def rest(self, data: Mapping[str, Any], scope: Iterable[bytes], folders: frozenset[bytes] | None) -> None:
        """Scan for what a recorded change set did not name; a later `files.changed` names it, if it can only be that.

        There is no hurry: that there is more is on record with its writer, who may be at work still.
        """
        with self._lock:
            if folders is not None and len(self._rests) < LIMIT:
                self._rests.append(Rest(data=data, folders=folders))
            self._plan.ask(Cause.LOSS, scope, pace=Pace.REST)
            self._lock.notify_all()

    def ask(self, cause: Cause, scope: Iterable[bytes]) -> None:
        """Scan a scope."""
        with self._lock:
            self._plan.ask(cause, scope)
            self._lock.notify_all()

    def demanded(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Scan for whoever asked over the control socket, the whole unless he names a path. SealError when there is no seal."""
        seal, path = self._judge.seal, message.get("path")
        if seal is None:
            raise SealError("there is nothing to compare with", hint=self._standing.why)
        if path is not None and not (isinstance(path, str) and path.startswith("/")):
            raise SealError("a path to scan begins with /")
        scope = WHOLE if path is None else (unquote_to_bytes(path),)
        self.ask(Cause.DEMAND, scope)
        return {"ok": True, "image": seal.image, "entries": seal.entries}

    def told(self, verdicts: Sequence[tuple[bytes, Verdict]]) -> None:
        """Take what is on record now as a live change. What cannot be noted is said, and told again by the next scan."""
        noted = ((path, _HOW.get(one.seal, How.LIVE), one.differences) for path, one in verdicts)
        try:
            self._told.live(noted)
        except sqlite3.Error as error:
            self._standing.unnoted = f"what was told is not noted: {error}"
        if any(path in self._files for path, _ in verdicts):
            self.doubt()

    def moved(self, paths: Sequence[bytes]) -> None:
        """Scan below renamed paths that the seal has as directories: what another one in their place lacks, nobody tells."""
        if scope := [path for path in paths if self._judge.is_sealed_directory(path)]:
            self.ask(Cause.LOSS, scope)

    def doubt(self) -> None:
        """Find out anew whether the manifest can be believed."""
        with self._lock:
            self._doubt = True
            self._lock.notify_all()

    @property
    def trouble(self) -> str | None:
        """What a person should know, None when the manifest is believed or this host never had one."""
        return self._standing.trouble

    def status(self) -> dict[str, Any]:
        """Return how the seal stands, for `hostseal status`."""
        with self._lock:
            waiting, running, owed = self._plan.waiting, self._plan.running, len(self._owed)
        return self._standing.status(
            self._judge.seal,
            self._told.count(),
            waiting=waiting,
            running=running,
            pid=self._child.pid,
            owed=owed,
        )

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        with self._lock:
            self._plan.ended(Outcome.FAILED, self._clock.monotonic())  # a thread before this one died of it
        self._moment = self._now()
        while not stop.is_set():
            self._tick()
            self._look_for_maps()
            if self._doubt:
                self._doubt = False
                self._believe(stop)
            with self._lock:
                if self._judge.seal is None:
                    self._refuse()
                job = self._plan.begin(self._clock.monotonic()) if self._judge.seal is not None else None
                if job is None:
                    self._lock.wait(_IDLE_SECONDS)
                else:
                    self._owed.begin(job.asked)
                    if job.cause is Cause.LOSS:
                        self._resting, self._rests = self._resting + self._rests, []
            if job is not None:
                self._scan(job, stop)

    def wake(self) -> None:
        """Let :meth:`run` look at `stop` at once."""
        with self._lock:
            self._lock.notify_all()

    def _believe(self, stop: threading.Event) -> None:
        before = self._judge.seal
        found = believe(self._settings, self._folder, self._image, self._told, self._open_seal)
        self._judge.use(found.seal)
        if before is not None:
            before.close()
        self._moment = self._now()  # to read a long manifest is no blind interval
        if found.seal is not None and (before is None or before.manifest != found.seal.manifest):
            self.ask(Cause.START, WHOLE)
        if self._standing.believes(found) and found.cause:
            self._record.untrusted(found, self._settings.manifest, stop)

    def _refuse(self) -> None:
        """Drop what is asked for while there is nothing to compare with; the status says that, and of how many losses."""
        self._rests.clear()
        for job in self._plan.drop():
            self._standing.refused += len(self._owed.settle(job.asked))

    def _scan(self, job: Job, stop: threading.Event) -> None:
        seal = self._judge.seal
        if seal is None:
            return
        self._told.begin()
        began = self._clock.monotonic()
        ended = self._child.run(job, self._told.see, self._tick, stop, self._gives_way)
        if stop.is_set():
            return
        count = 0
        if ended.outcome is not Outcome.FAILED:
            count = self._conclude(job, ended, seal, began, stop)
        else:
            self._doubt = True
        with self._lock:
            given_up = self._plan.ended(ended.outcome, self._clock.monotonic())
            done = self._owed.settle(job.asked) if ended.outcome is Outcome.DONE else []
            refused = self._owed.settle(given_up.asked) if given_up is not None else []
            self._owed.begin(())
        self._record.rescanned(done, count, stop)
        if given_up is not None:
            self._standing.refused += len(refused)
            self._record.given_up(given_up, ended.why, refused, stop)
        self._standing.ended(job, ended, self._clock.now(), given_up=given_up is not None)

    def _gives_way(self) -> bool:
        with self._lock:
            return self._plan.gives_way(self._clock.monotonic())

    def _conclude(self, job: Job, ended: Ended, seal: Seal, began: float, stop: threading.Event) -> int:
        """Put on record what a scan found and nobody told yet; return how many differences there are."""
        self._let_live_records_pass(stop)
        self._look_again()
        complete = ended.outcome is Outcome.DONE
        if job.cause is Cause.LOSS and complete:
            self._name_rests(stop)
        found = self._told.found(NAMED)
        if found.fresh:
            self._record.broken(job, ended, found, seal, self._clock.monotonic() - began, stop)
        if not stop.is_set():
            self._told.keep(job.scope, complete=complete)
        return found.count

    def _name_rests(self, stop: threading.Event) -> None:
        """Name what change sets had no room for. While a loss is owed it may have been somebody whom nobody saw."""
        with self._lock:
            rests, self._resting = self._resting, []
            if len(self._owed):
                return
        for rest, folders in alone(rests):
            count, first = self._told.fresh(folders, NAMED)
            if count:
                self._record.put(EventType.FILES_CHANGED, event(rest, first, count), stop)
                self._standing.rests += 1

    def _let_live_records_pass(self, stop: threading.Event) -> None:
        """Wait for the records of what the scan may have met on its way, so that those who did it are named there."""
        seen = self._clock.monotonic()
        while self.live is not None and not self.live.handed_on(seen) and not stop.is_set():
            if self._clock.monotonic() - seen > QUIET_SECONDS:
                return
            stop.wait(0.1)
            self._tick()

    def _look_again(self) -> None:
        """Look once more at what is new: what was only on its way, and what changes by design, is no difference."""
        left = LOOK_AGAIN_BYTES
        for path in self._told.weigh(LOOK_AGAIN):
            if left <= 0:
                return
            looked = self._judge.again(path, left)
            left -= looked.read
            how = How.BY_DESIGN if looked.verdict.seal is Sealed.BY_DESIGN else None
            self._told.again(path, how, looked.verdict.differences)
            self._tick()

    def _tick(self) -> None:
        now = self._now()
        interval, self._moment = blind.between(self._moment, now), now
        if interval is not None and self.live is not None:
            self.live.blind(interval)

    def _look_for_maps(self) -> None:
        now = self._clock.monotonic()
        if self.maps is not None and now >= self._maps_due:
            self._maps_due = now + self._settings.maps_seconds
            seal = self._judge.seal
            if held := [path for path in self.maps() if seal is not None and seal.covers(path)]:
                self.ask(Cause.MAPS, held)

    def _now(self) -> Moment:
        return Moment(self._boottime(), self._clock.monotonic())
