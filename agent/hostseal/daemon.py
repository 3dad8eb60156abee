"""The agent: composes the ports, and keeps the parts running. Law 2 itself is in :mod:`hostseal.pipeline`."""

import hashlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from hostseal import __version__, fallback, gate_keeper, host_identity
from hostseal.action_runner import ActionRunner, Executor
from hostseal.actions.request import declared_since
from hostseal.config.files import FilesSettings
from hostseal.config.settings import Settings
from hostseal.control_desk import ControlDesk
from hostseal.core.by_design import Classes
from hostseal.core.event import Event, EventType, timestamp
from hostseal.core.scan_plan import Cause
from hostseal.core.scopes import WHOLE
from hostseal.errors import ActionError, SpoolError
from hostseal.log import Log
from hostseal.login_gate import Ask
from hostseal.open_sessions import OpenSessions
from hostseal.pipeline import Pipeline, PolicyEngine
from hostseal.ports import Clock
from hostseal.recorder import Recorder
from hostseal.responses import OpenSshSessions
from hostseal.scans.judge import Judge
from hostseal.scans.keeper import Keeper
from hostseal.scans.owed import Owed
from hostseal.sensors import sshd_processes
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
    ) -> None:
        self.settings, self._clock, self._log = settings, clock, log
        listener = waking = Waking(listener)
        listener = self._stages = Stages(listener)
        self.stop = threading.Event()
        self._spool, self.flag, self._aside = open_state(settings.state, settings.spool)
        self._undecided = self._spool.pending(EventType.FILES_CHANGED)
        host = host_identity.read(settings.agent.name)
        limit = settings.spool.pending_limit
        self.recorder = Recorder(self._spool, host, clock, listener, pending_limit=limit)
        state = settings.state
        self._keeper = gate_keeper.assemble(
            settings.gate, state, ask, self.recorder, self._spool, self.flag, clock
        )
        opened = ssh_sessions if journal else tuple
        self.pipeline = Pipeline(
            self._spool,
            self.recorder,
            engine,
            self.flag,
            clock,
            listener,
            state,
            self._known(opened),
            arm=self._keeper.proven,
        )
        self.sessions = OpenSessions(clock)
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
        if event.type is EventType.FLAG_PARDONED:
            self._laying.forgive()

    def run(self, beat: Callable[[], None]) -> None:
        """Run until :attr:`stop` is set; `beat` is called every few seconds while the parts are alive."""
        self._started()
        if self._watches_logins:
            recorded, suspects = self._sessions_on_record()
            self._witnesses.begin(recorded, suspects)
            for known in self.sessions.all():
                self._processes.adopt(known.data or {})
            for event in recorded:
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
                self._spool.remember("alive", timestamp(self._clock.now()).encode())
        except (SpoolError, OSError) as error:
            self._log("fallback.kept", level="warning", error=error)

    def _late(self, data: Mapping[str, Any]) -> None:
        """Take in a session that the hook let in while the agent did not answer."""
        self.sessions.opened(data)
        try:
            self._keeper.late(data)
        except SpoolError as error:
            # The records that come after this one are not held up by it.
            self._log("certificate.unnoted", level="error", error=error)

    def _started(self) -> None:
        now = timestamp(self._clock.now())
        if self._aside:
            self._lost("spool", "the spool was damaged and set aside", None, self._aside)
        alive = self._spool.recall("alive")
        if alive:
            loss = self._lost("agent", "the agent was not running", alive.decode(), "all sensors")
            self.seal.owe(loss, Cause.START, WHOLE)
        digest = hashlib.sha256(msgspec.json.encode(self.settings, order="sorted")).hexdigest()
        data = {
            "version": __version__,
            "config_digest": digest,
            "policy_revision": None,
            "sensors": [part.name for part in self._parts if part.name not in _NO_SENSORS],
        }
        self.recorder(EventType.AGENT_STARTED, data, sensor="agent", key=f"started:{now}")

    def _lost(self, sensor: str, cause: str, since: str | None, scope: str) -> Owed:
        until = timestamp(self._clock.now())
        data: dict[str, Any] = {
            "sensor": sensor, "cause": cause, "since": since, "until": until, "scope": scope,
            "rescanned": False, "detail": {},
        }  # fmt: skip
        self.recorder(EventType.SENSOR_LOST, data, sensor="agent", key=f"{sensor}:{until}")
        return Owed(sensor=sensor, cause=cause, scope=scope, since=since, until=until, detail={})

    def _end(self) -> None:
        now = timestamp(self._clock.now())
        try:
            self.recorder(
                EventType.AGENT_STOPPED, {"reason": "asked to"}, sensor="agent", key=f"stopped:{now}"
            )
            self._spool.remember("alive", now.encode())
        except SpoolError as error:
            self._log("agent.stopped", level="error", error=error)
        self.files.end()
        self.seal.wake()
        self._diffs.end()
        self._processes.wake()
        self.recorder.stop()
        self._actions.wake()
        if self._uplink is not None:
            self._uplink.wake()

    def _sessions_on_record(self) -> tuple[list[Event], list[Event]]:
        """Return this boot's openings, and those of them by which the host is suspect."""
        boot = self.recorder.host.boot_id
        tasks = [self._spool.task(suspicion.event) for suspicion in self.flag.now.suspicions]
        suspects = [task.event for task in tasks if task is not None and task.event.host.boot_id == boot]
        return self._spool.opened(boot), suspects

    def _known(self, opened: OpenSshSessions) -> OpenSshSessions:
        """Return the open sessions as the hook told of them, for logind knows no keys."""

        def look() -> Iterator[dict[str, Any]]:
            for session in opened():
                yield dict(self.sessions.data(session["audit_session"]) or session)

        return look

    def _declared(self, action_id: str) -> Mapping[bytes, frozenset[str | None]] | None:
        try:
            return declared_since(self.settings.state, action_id)
        except (ActionError, OSError):
            return None

    def status(self) -> dict[str, Any]:
        """Return what `hostseal status` shows of the running agent."""
        return {
            "version": __version__,
            "host": msgspec.to_builtins(self.recorder.host),
            "parts": {part.name: {"alive": part.alive, "deaths": part.deaths, "error": part.last_error}
                      for part in self._parts},
            "files": self._files_status(),
            "diffs": self._diffs.status(),
            "gate": self._keeper.status()["gate"],
            "ledger": None if self._uplink is None else self._uplink.status(),
            "lockdown": {"level": str(self.pipeline.responses.lockdown.now.level),
                         "in_force": self.pipeline.responses.in_force()},
            "spool": {"pending": self._spool.pending(), "last_seq": self._spool.last_seq(),
                      "full": self.recorder.full, "trouble": self.pipeline.trouble},
        }  # fmt: skip

    def _files_status(self) -> dict[str, Any]:
        """Return the file sensor's status with the seal's, and how many change sets were decided on."""
        kind = EventType.FILES_CHANGED
        decided = {
            "found": self._undecided,
            **self._stages.of(kind),
            "undecided": self._spool.pending(kind),
        }
        return {**self.files.status(), "seal": self.seal.status(), "decided": decided}

    def reconfigure(self, settings: Settings) -> None:
        """Take new file settings at once; the others apply from the next start."""
        self.settings = msgspec.structs.replace(self.settings, files=settings.files)
        self._diffs.reconfigure(settings.files.diff)
        self.files.reconfigure(settings.files)

    def trouble(self) -> str | None:
        """Return the first thing a person should know, None when all is well."""
        dead = next((f"{p.name}: {p.last_error}" for p in self._parts if not p.alive and p.last_error), None)
        aside = f"a damaged spool was set aside: {self._aside}" if self._aside else None
        ledger = None if self._uplink is None else self._uplink.trouble
        return self.recorder.full or self.pipeline.trouble or dead or aside or ledger or self.seal.trouble

    def _died(self, name: str, error: BaseException, deaths: int) -> None:
        self._log(
            "part.died", level="error", part=name, error=f"{type(error).__name__}: {error}", deaths=deaths
        )
        if name in {"gate", "journal", "processes"} and not self.stop.is_set():
            try:
                self._lost(name, f"{type(error).__name__}: {error}", None, name)
            except SpoolError as failed:
                self._log("loss.unrecorded", level="error", error=failed)
