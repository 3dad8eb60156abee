"""The file sensor as the daemon runs it: a supervised backend, change sets, events."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

from msgspec.structs import replace

from hostseal.config.files import FilesSettings
from hostseal.core import backoff
from hostseal.core.attribution import Confidence, ProcessFacts, TracedChange, Writer, WriterKind
from hostseal.core.blind import Blind
from hostseal.core.change_set import ChangeSet, Fold, Limits, PathChange, What
from hostseal.core.verdict import Verdict
from hostseal.errors import SpoolError
from hostseal.ports import Clock, Emit, FileSensor, RawChange
from hostseal.scans.judge import Looked
from hostseal.sensors.file_choice import choose
from hostseal.sensors.file_diff import Diffs
from hostseal.sensors.file_guard import Guard, Unguarded
from hostseal.sensors.file_losses import Losses, cause_of, scope_of
from hostseal.sensors.file_origins import Origins, Sessions
from hostseal.sensors.file_report import Declared, report
from hostseal.sensors.file_scope import Scope
from hostseal.sensors.file_stages import Counts
from hostseal.sensors.file_writer import Executed
from hostseal.sensors.laying import Laying

SENSOR = "files"
IDLE_SECONDS = 1.0
Expected = Callable[[str], Declared | None]


class FileWatch:
    """Watches the sealed trees. The backend's thread only folds; this one hashes, emits and waits for the spool.

    So a full spool holds back events, not the reader: change sets grow, and their size is bounded.
    """

    def __init__(
        self,
        settings: FilesSettings,
        emit: Emit,
        sessions: Sessions,
        expected: Expected,
        clock: Clock,
        make: Callable[[], FileSensor] | None = None,
        *,
        executed: Executed | None = None,
        guard: Guard | None = None,
        laying: Laying | None = None,
        diffs: Diffs | None = None,
    ) -> None:
        self._guard, self._diffs = guard or Unguarded(), diffs
        self._settings, self._emit, self._clock = settings, emit, clock
        self._expected, self._origins = expected, Origins(sessions, laying, executed)
        self._make, self._reason = (make, "given") if make else choose(settings, self._origins.executed)
        self.scope = str(Scope(settings.watch, settings.exclude))
        self._fold = Fold(
            Limits(
                quiet_seconds=settings.quiet_seconds,
                max_age_seconds=settings.max_age_seconds,
                max_paths=settings.max_paths,
                max_waiting=max(1, settings.queue // settings.max_paths),
            )
        )
        self._losses = Losses()
        self._wake = threading.Condition(threading.Lock())
        self._born = clock.monotonic()
        self._serial = 0
        self._counts = Counts()
        self._sensor: FileSensor | None = None
        self._backend, self._alive = "", False
        self._due: list[ChangeSet] = []

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop` is set, then hand on what is under way; the backend is restarted whenever it dies."""
        reader = threading.Thread(target=self._supervise, args=(stop,), name="files", daemon=True)
        reader.start()
        while not stop.is_set():
            self._wait()
            self._hand_on(stop)
        reader.join()
        with self._wake:
            self._due += self._fold.flush()
        self._hand_on(stop)

    def status(self) -> dict[str, Any]:
        """Return how the sensor is, for `hostseal status`."""
        with self._wake:
            queue = len(self._fold) + len(self._due)
            waiting = self._fold.count + sum(one.count for one in self._due)
            counts = self._counts.report(waiting=waiting, losses_waiting=self._losses.waiting)
        return {
            "backend": self._backend,
            "reason": self._reason,
            "alive": self._alive,
            "events": counts["changes"],
            "lost": counts["losses"]["seen"],
            "queue": queue,
            "counts": counts,
        }

    def handed_on(self, before: float) -> bool:
        """Tell whether every change seen before a monotonic time is on record."""
        with self._wake:
            since = self._fold.since()
            return not self._due and (since is None or since > before)

    def blind(self, interval: Blind) -> None:
        """Take the news that nobody looked for a while."""
        with self._wake:
            now = self._clock.now()
            detail = {"seconds": round(interval.seconds, 1)}
            self._counts.lost()
            self._losses.add(
                interval.cause, self.scope, detail, now, now - timedelta(seconds=interval.seconds)
            )
            self._wake.notify()

    def changed(self, change: RawChange) -> None:
        """Take one raw change; called by the backend."""
        self.changed_many((change,))

    def changed_many(self, changes: Sequence[RawChange]) -> None:
        """Take the changes of one batch; called by the backend."""
        runs = []
        for (at, process), run in groupby(changes, _when_and_who):
            writer = self._origins.writer(process)
            alike = [(change.path, change.what) for change in run]
            self._origins.wrote(writer, alike)
            runs.append((alike, at, writer, process))
        with self._wake:
            began = False
            for alike, at, writer, process in runs:
                began |= self._fold.add_all(alike, at, writer, process)
            self._counts.changes += len(changes)
            if began:
                self._wake.notify()

    def lost(self, cause: str, scope: str, detail: Mapping[str, Any]) -> None:
        """Take the news of a loss; called by the backend."""
        with self._wake:
            self._counts.lost()
            self._losses.add(cause, scope, detail, self._clock.now())
            self._wake.notify()

    def _supervise(self, stop: threading.Event) -> None:
        deaths = 0
        while not stop.is_set():
            began = self._clock.monotonic()
            try:
                sensor = self._sensor = self._make()
                self._counts.reads(sensor)
                self._backend, self._alive = sensor.name, True
                sensor.run(self, stop)
            except Exception as error:  # noqa: BLE001 - whatever kills the backend, it is a loss, and it is restarted
                self._died(f"{type(error).__name__}: {error}")
            else:
                if not stop.is_set():
                    self._died("it returned")
            finally:
                self._alive = False
            deaths = 1 if self._clock.monotonic() - began > backoff.CAP_SECONDS else deaths + 1
            stop.wait(backoff.delay(deaths))

    def _died(self, why: str) -> None:
        self.lost("sensor_died", self.scope, {"backend": self._backend, "error": why})

    def _wait(self) -> None:
        with self._wake:
            now = self._clock.monotonic()
            due = self._fold.next_due()
            pause = IDLE_SECONDS if due is None else min(IDLE_SECONDS, due - now)
            if pause > 0 and not self._losses and not self._due:
                self._wake.wait(pause)
            self._due += self._fold.due(self._clock.monotonic())

    def _hand_on(self, stop: threading.Event) -> None:
        """Emit what is due; what the spool refuses stays, in order, and is tried again."""
        failed = 0
        while self._due or self._losses:
            try:
                self._emit_losses()
                while self._due:
                    self._emit_changes(self._due[0])
            except SpoolError:
                failed += 1
                if stop.wait(backoff.delay(failed)):
                    return

    def _emit_losses(self) -> None:
        while True:
            with self._wake:
                loss = self._losses.first()
            if loss is None:
                return
            self._emit(
                "sensor.lost",
                {"sensor": f"files.{self._backend}", **loss.data()},
                sensor=SENSOR,
                key=self._key(),
            )
            self._serial += 1
            with self._wake:
                self._losses.emitted(loss)
                self._counts.losses_spooled += loss.count
            scope = scope_of(loss.scope)
            self._guard.owe(loss.owed(f"files.{self._backend}"), cause_of(loss.cause), scope)

    def _emit_changes(self, changes: ChangeSet) -> None:
        self._origins.save()
        key = changes.key
        writer = replace(changes.writer, session=self._origins.session(key), via=self._origins.tie(key))
        declared = self._expected(key.name) if writer.kind is WriterKind.ACTION else None
        verdicts: list[tuple[bytes, Verdict]] = []

        def look(change: PathChange, by: Writer, confidence: Confidence, budget: int) -> Looked:
            looked = self._guard.look(change, by, confidence, budget)
            verdicts.append((change.path, looked.verdict))
            return looked

        diffs = self._diffs.of(changes.paths) if self._diffs is not None else {}
        now, monotonic = self._clock.now(), self._clock.monotonic()
        data = report(changes, writer, declared, look, now=now, monotonic=monotonic, diffs=diffs)
        for change, path in zip(changes.paths, data["paths"], strict=True):
            path["lays"] = self._origins.lays(change.path)
        self._emit("files.changed", data, sensor=SENSOR, key=self._key())
        if self._diffs is not None:
            self._diffs.kept()
        self._serial += 1
        self._guard.told(verdicts)
        self._origins.judged(verdicts)
        with self._wake:
            self._due.pop(0)
            self._counts.spooled(changes)
        self._guard.moved([change.path for change in changes.paths if What.RENAMED in change.what])
        if changes.beyond:
            self._guard.rest(data, changes.beyond, changes.folders)

    def _key(self) -> str:
        return f"{self._born:.6f}/{self._serial}"


def _when_and_who(change: RawChange) -> tuple[float, ProcessFacts | None]:
    return change.at, change.process if isinstance(change, TracedChange) else None
