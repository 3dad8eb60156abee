"""The file sensor as the daemon runs it: a supervised backend, change sets, events."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from hostseal.config.files import FilesSettings
from hostseal.core import backoff
from hostseal.core.attribution import UNKNOWN, ProcessFacts, TracedChange, WriterKey, WriterKind, key_of
from hostseal.core.change_set import ChangeSet, Fold, Limits
from hostseal.errors import SpoolError
from hostseal.ports import Clock, Emit, FileSensor, RawChange
from hostseal.sensors.file_choice import choose
from hostseal.sensors.file_diff import Diffs
from hostseal.sensors.file_losses import Losses
from hostseal.sensors.file_report import Declared, report
from hostseal.sensors.file_scope import Scope
from hostseal.sensors.file_writer import Executed

SENSOR = "files"
IDLE_SECONDS = 1.0
REMEMBERED_SESSIONS = 1024
Sessions = Callable[[int], Mapping[str, Any] | None]
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
        diffs: Diffs | None = None,
    ) -> None:
        self._diffs = diffs
        self._settings, self._emit, self._clock = settings, emit, clock
        self._sessions, self._expected = sessions, expected
        self._make, self._reason = (make, "given") if make else choose(settings, executed)
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
        self._known: dict[str, Mapping[str, Any]] = {}
        self._process: ProcessFacts | None = None
        self._writer = UNKNOWN
        self._wake = threading.Condition(threading.Lock())
        self._born = clock.monotonic()
        self._serial = self._events = self._lost = 0
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
        return {
            "backend": self._backend,
            "reason": self._reason,
            "alive": self._alive,
            "events": self._events,
            "lost": self._lost,
            "queue": queue,
        }

    def changed(self, change: RawChange) -> None:
        """Take one raw change; called by the backend."""
        process = change.process if isinstance(change, TracedChange) else None
        if process is not self._process:
            self._process, self._writer = process, self._key_of(process)
        with self._wake:
            self._events += 1
            if self._fold.add(change.path, change.what, change.at, self._writer, process):
                self._wake.notify()

    def lost(self, cause: str, scope: str, detail: Mapping[str, Any]) -> None:
        """Take the news of a loss; called by the backend."""
        with self._wake:
            self._lost += 1
            self._losses.add(cause, scope, detail, self._clock.now())
            self._wake.notify()

    def _supervise(self, stop: threading.Event) -> None:
        deaths = 0
        while not stop.is_set():
            began = self._clock.monotonic()
            try:
                sensor = self._make()
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
                    self._due.pop(0)
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

    def _emit_changes(self, changes: ChangeSet) -> None:
        writer = replace(changes.writer, session=self._session(changes.key))
        declared = self._expected(changes.key.name) if writer.kind is WriterKind.ACTION else None
        diffs = self._diffs.of(changes.paths) if self._diffs is not None else {}
        data = report(
            changes, writer, declared, now=self._clock.now(), monotonic=self._clock.monotonic(), diffs=diffs
        )
        self._emit("files.changed", data, sensor=SENSOR, key=self._key())
        if self._diffs is not None:
            self._diffs.kept()
        self._serial += 1

    def _key(self) -> str:
        return f"{self._born:.6f}/{self._serial}"

    def _key_of(self, process: ProcessFacts | None) -> WriterKey:
        """Return the writer. A session is looked up at once, for it may be over when the change set closes."""
        audit = process.audit_session if process is not None else None
        session = self._sessions(audit) if audit is not None else None
        if session is not None:
            if len(self._known) >= REMEMBERED_SESSIONS:
                self._known.pop(next(iter(self._known)))
            self._known[str(audit)] = session
        return key_of(process, in_session=str(audit) in self._known)

    def _session(self, key: WriterKey) -> Mapping[str, Any] | None:
        return self._known.get(key.name) if key.kind is WriterKind.SESSION else None
