"""The agent: composes the ports, and keeps the parts running. Law 2 itself is in :mod:`hostseal.pipeline`."""

import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from hostseal import fallback, gate_keeper, host_identity
from hostseal.action_runner import ActionRunner, Executor
from hostseal.actions.request import declared_since
from hostseal.condition import Condition
from hostseal.config.files import FilesSettings
from hostseal.config.settings import Settings
from hostseal.control_desk import ControlDesk
from hostseal.core.by_design import Classes
from hostseal.core.engine_watch import SENSOR, Seen
from hostseal.core.event import Event, EventType
from hostseal.core.scan_plan import Cause
from hostseal.core.scopes import WHOLE
from hostseal.errors import ActionError, SpoolError
from hostseal.heartbeat import Heartbeat
from hostseal.log import Log
from hostseal.login_gate import Ask
from hostseal.open_sessions import OpenSessions, known_to, suspect_by
from hostseal.own_record import OwnRecord
from hostseal.pipeline import Pipeline, PolicyEngine
from hostseal.ports import Clock
from hostseal.recorder import Recorder
from hostseal.scans.judge import Judge
from hostseal.scans.keeper import Keeper
from hostseal.sensors import sshd_processes
from hostseal.sensors.decision_log import DecisionLogWatch
from hostseal.sensors.file_diff import Diffs
from hostseal.sensors.file_maps import writable_maps
from hostseal.sensors.file_scope import Scope
from hostseal.sensors.file_service import FileService
from hostseal.sensors.file_watch import FileWatch
from hostseal.sensors.journal import JournalSensor
from hostseal.sensors.laying import Laying, key_files
from hostseal.sensors.logind import ssh_sessions
from hostseal.sensors.pam import PamSensor
from hostseal.sensors.pam_gate import GateServer
from hostseal.sensors.session_commands import SessionCommands
from hostseal.sensors.session_processes import SessionProcesses
from hostseal.stages import Stages
from hostseal.state import open_state
from hostseal.steps import Listener
from hostseal.supervise import Supervised
from hostseal.uplink.uplink import Uplink, Waking
from hostseal.witnesses import Witnesses

_TICK_SECONDS = 5.0
_ALIVE_EVERY = 12
_NO_SENSORS = frozenset({"pipeline", "actions", "ledger", "diffs"})


class Daemon:
    """All parts of one running agent. Raises SpoolError on construction when nothing can be recorded."""

    def __init__(
        self,
        settings: Settings,
        engine: PolicyEngine,
        executor: Executor,
        clock: Clock,
        listener: Listener,
        log: Log,
        *,
        gate: socket.socket | None,
        ask: Ask,
        journal: bool,
        opa: Callable[[], Seen] | None = None,
    ) -> None:
        self.settings, self._clock, self._log = settings, clock, log
        listener = waking = Waking(listener)
        listener = stages = Stages(listener)
        self.stop = threading.Event()
        self._spool, self.flag, self._aside = open_state(settings.state, settings.spool)
        undecided = self._spool.pending(EventType.FILES_CHANGED)
        host = host_identity.read(settings.agent.name)
        limit = settings.spool.pending_limit
        self.recorder = Recorder(self._spool, host, clock, listener, pending_limit=limit)
        self._own = OwnRecord(self.recorder, self._spool, clock)
        every = settings.opa.watch_seconds
        self._watch = opa and DecisionLogWatch(opa, self.recorder, self._spool, clock, log, every)
        self._heartbeat = Heartbeat(self.recorder, self._spool, clock, settings, self._watch)
        state = settings.state
        self.sessions = OpenSessions(clock)
        self._keeper = gate_keeper.assemble(
            settings.gate, state, ask, self.recorder, self._spool, self.flag, clock
        )
        self.pipeline = Pipeline(
            self._spool,
            self.recorder,
            engine,
            self.flag,
            clock,
            listener,
            state,
            known_to(self.sessions, ssh_sessions if journal else tuple),
            arm=self._keeper.proven,
        )
        commands = SessionCommands(self.recorder, clock) if settings.sessions.record_commands else None
        self._processes = SessionProcesses(self.recorder, self.sessions, clock, commands=commands)
        self._laying = Laying(self._spool, host.boot_id, key_files=key_files())
        self.recorder.told = self._told
        self._witnesses = Witnesses(self.recorder, self.sessions, clock, sshd_processes.look, ssh_sessions)
        self._watches_logins = journal
        self._actions = ActionRunner(
            self._spool, executor, self.flag, self.pipeline, settings.actions, clock, listener, state
        )
        self._pam = PamSensor(
            self.recorder, self.pipeline, self._spool, self.flag, self.sessions, self._keeper
        )
        self._judge = Judge(Classes(settings.files.by_design))
        self.seal = Keeper(
            settings.seal, state, self.recorder, clock, self._judge, image=self.recorder.host.image
        )
        desk = ControlDesk(
            Path(settings.pardon.public_key), self.recorder, self.pipeline, self._spool, self.flag, self.sessions,
            self._keeper, clock, status=self.status, scan=self.seal.demanded,
        )  # fmt: skip
        self._gate = GateServer(gate, self._pam.take, desk.take) if gate is not None else None
        self._diffs = Diffs(settings.files.diff, state / "befores", log)
        self.files = FileService(settings.files, self._file_watch)
        self.seal.live, self.seal.maps = self.files, self._held_mapped
        self._parts = [
            Supervised("pipeline", self.pipeline.run, self._died),
            Supervised("actions", self._actions.run, self._died),
            Supervised("files", self.files.run, self._died),
            Supervised("seal", self.seal.run, self._died),
            Supervised("diffs", self._diffs.run, self._died),
            Supervised("processes", self._processes.run, self._died),
        ]
        if self._watch is not None:
            self._parts.append(Supervised(self._watch.name, self._watch.run, self._died))
        self._uplink: Uplink | None = None
        if settings.ledger.url:
            self._uplink = Uplink(settings.ledger, state, self.recorder, self.flag, waking, clock, log)
            self._parts.append(Supervised("ledger", self._uplink.run, self._died))
        if self._gate is not None:
            self._parts.append(Supervised("gate", self._gate.run, self._died))
        if journal:
            self._parts.append(
                Supervised(
                    "journal",
                    JournalSensor(
                        self.recorder, self._spool, self.sessions, self._witnesses, host.boot_id
                    ).run,
                    self._died,
                )
            )

        self._condition = Condition(
            recorder=self.recorder, spool=self._spool, pipeline=self.pipeline, parts=self._parts, files=self.files,
            seal=self.seal, diffs=self._diffs, stages=stages, keeper=self._keeper, watch=self._watch,
            uplink=self._uplink, undecided=undecided, aside=self._aside,
        )  # fmt: skip

    def _file_watch(self, settings: FilesSettings) -> FileWatch:
        self._judge.classify(Classes(settings.by_design))
        return FileWatch(
            settings,
            emit=self.recorder,
            sessions=self.sessions.data,
            expected=self._declared,
            clock=self._clock,
            executed=self._processes.executed,
            guard=self.seal,
            laying=self._laying,
            diffs=self._diffs,
        )

    def _held_mapped(self) -> list[bytes]:
        """Return the watched files that a program holds mapped for writing."""
        files = self.settings.files
        return sorted({path for path, _ in writable_maps(Scope(files.watch, files.exclude))})

    def _told(self, event: Event) -> None:
        self._processes.told(event)
        self._heartbeat.told(event)
        if event.type is EventType.FLAG_PARDONED:
            self._laying.forgive()

    def run(self, beat: Callable[[], None]) -> None:
        """Run until :attr:`stop` is set; `beat` is called every few seconds while the parts are alive."""
        self._started()
        if self._watches_logins:
            boot = self.recorder.host.boot_id
            openings = self._spool.of_boot(boot, EventType.SESSION_OPENED)
            channels = self._spool.of_boot(boot, EventType.SESSION_CHANNEL)
            suspects = suspect_by(self._spool, boot, self.flag.now.suspicions)
            for session in self._witnesses.begin(openings, channels, suspects):
                self._processes.adopt(session)
            for event in openings:
                self._processes.ended(event.data)
        for part in self._parts:
            part.start(self.stop)
        ticks = 0
        while not self.stop.is_set():
            if all(part.alive or part.deaths for part in self._parts):
                beat()
            self._tick(ticks)
            ticks += 1
            self._wait()
        self._end()

    def _wait(self) -> None:
        try:
            due = self._witnesses.report() if self._watches_logins else None
        except SpoolError as error:
            self._log("session.unreported", level="error", error=error)
            due = None
        self.sessions.changed.wait(_TICK_SECONDS if due is None else min(due, _TICK_SECONDS))
        self.sessions.changed.clear()

    def _tick(self, ticks: int) -> None:
        try:
            fallback.take_in(self.settings.state / "fallback", self.recorder, self._late)
            self._keeper.tick()
            self._laying.save()
            if self.pipeline.responses.repair(self.recorder.host):
                self._actions.wake()
            if ticks % _ALIVE_EVERY == 0:
                self._own.alive()
            self._heartbeat.tick()
        except (SpoolError, OSError) as error:
            self._log("fallback.kept", level="warning", error=error)

    def _late(self, data: Mapping[str, Any]) -> None:
        """Take in a session that the hook let in while the agent did not answer."""
        self.sessions.late(data)
        try:
            self._keeper.late(data)
        except SpoolError as error:
            # The records that come after this one are not held up by it.
            self._log("certificate.unnoted", level="error", error=error)

    def _started(self) -> None:
        sensors = [part.name for part in self._parts if part.name not in _NO_SENSORS]
        loss = self._own.started(self.settings, sensors, self._aside)
        if loss is not None:
            self.seal.owe(loss, Cause.START, WHOLE)

    def _end(self) -> None:
        try:
            self._witnesses.end()
            self._own.stopped()
        except SpoolError as error:
            self._log("agent.stopped", level="error", error=error)
        self.files.end()
        self.seal.wake()
        self._diffs.end()
        self._processes.wake()
        self.recorder.stop()
        self._actions.wake()
        if self._watch is not None:
            self._watch.wake()
        if self._uplink is not None:
            self._uplink.wake()

    def _declared(self, action_id: str) -> Mapping[bytes, frozenset[str | None]] | None:
        try:
            return declared_since(self.settings.state, action_id)
        except (ActionError, OSError):
            return None

    def reconfigure(self, settings: Settings) -> None:
        """Take new file settings at once; the others apply from the next start."""
        self.settings = msgspec.structs.replace(self.settings, files=settings.files)
        self._diffs.reconfigure(settings.files.diff)
        self.files.reconfigure(settings.files)

    def status(self) -> dict[str, Any]:
        """Return what `hostseal status` shows of the running agent."""
        return self._condition.status()

    def trouble(self) -> str | None:
        """Return the first thing a person should know, None when all is well."""
        return self._condition.trouble()

    def _died(self, name: str, error: BaseException, deaths: int) -> None:
        self._log(
            "part.died", level="error", part=name, error=f"{type(error).__name__}: {error}", deaths=deaths
        )
        if name in {"gate", "journal", "processes", SENSOR} and not self.stop.is_set():
            try:
                self._own.lost(name, f"{type(error).__name__}: {error}", None, name)
            except SpoolError as failed:
                self._log("loss.unrecorded", level="error", error=failed)
