"""The agent under systemd: readiness, watchdog, the socket it hands over, signals, and settings that stay good."""

import signal
import socket
import threading
from pathlib import Path

import msgspec
from systemd import daemon as sd

from hostseal import durable
from hostseal.actions.unit import UnitExecutor
from hostseal.clock import SystemClock
from hostseal.config import load
from hostseal.config.settings import Settings
from hostseal.daemon import Daemon
from hostseal.errors import ConfigError, SpoolError
from hostseal.log import to_journal
from hostseal.policy.engine import OpaEngine
from hostseal.policy.pool import EnginePool
from hostseal.policy.status import OpaLook
from hostseal.steps import Step

_RETRY_SECONDS = 5.0
_LAST_GOOD = "settings.last-good.json"


def run() -> None:
    """Run until SIGTERM. Raises ConfigError when the settings are bad and there are no last good ones."""
    stop = threading.Event()
    settings, complaint = _settings()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    gate = _gate()
    sd.notify("READY=1")
    agent = _open(settings, gate, stop)
    if agent is None:
        return
    status = _Status(agent, complaint)

    def end(*_: object) -> None:
        agent.stop.set()
        agent.sessions.changed.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    signal.signal(signal.SIGHUP, lambda *_: status.reload())
    if stop.is_set():
        end()
    agent.run(status.beat)
    sd.notify("STOPPING=1")


class _Status:
    """What systemd is told, and what SIGHUP does."""

    def __init__(self, agent: Daemon, complaint: str | None) -> None:
        self._agent, self._complaint, self._said = agent, complaint, ""

    def beat(self) -> None:
        """Feed the watchdog and say how things stand, once for each change."""
        state = f"standing: {self._agent.flag.now.state}"
        trouble = self._complaint or self._agent.trouble()
        said = f"{state}; trouble: {trouble}" if trouble else state
        sd.notify("WATCHDOG=1" if said == self._said else f"WATCHDOG=1\nSTATUS={said}")
        if said != self._said and trouble:
            to_journal("agent.trouble", level="warning", trouble=trouble)
        self._said = said

    def reload(self) -> None:
        """Read the settings again; bad ones are reported and the running ones stay."""
        try:
            settings = load.load(load.drop_ins())
        except ConfigError as error:
            self._complaint = f"settings not reloaded: {error}"
            to_journal("config.refused", level="error", error=error)
            return
        self._complaint = None
        _keep(settings)
        self._agent.reconfigure(settings)
        to_journal("config.loaded")


def _open(settings: Settings, gate: socket.socket | None, stop: threading.Event) -> Daemon | None:
    """Return the agent once its state can be opened; meanwhile say why not, without a restart loop."""
    opa = settings.opa

    def connect() -> OpaEngine:
        return OpaEngine(
            opa.url, ca=Path(opa.ca), token_file=Path(opa.token_file), timeout_seconds=opa.timeout_seconds
        )

    engine, ask = connect(), EnginePool(connect).ask
    while not stop.is_set():
        try:
            return Daemon(
                settings,
                engine,
                UnitExecutor(),
                SystemClock(),
                _listen,
                to_journal,
                gate=gate,
                ask=ask,
                journal=True,
                opa=OpaLook(opa),
            )
        except SpoolError as error:
            sd.notify(f"WATCHDOG=1\nSTATUS=trouble: nothing can be recorded: {error}")
            to_journal("spool.unusable", level="error", error=error)
            stop.wait(_RETRY_SECONDS)
    return None


def _listen(step: Step, **fields: object) -> None:
    level = "warning" if step in {Step.NO_ANSWER, Step.ACTION_FAILED} else "info"
    to_journal(step, level=level, **fields)


def _gate() -> socket.socket | None:
    handed = sd.listen_fds()
    return socket.socket(fileno=handed[0]) if handed else None


def _settings() -> tuple[Settings, str | None]:
    try:
        settings = load.load(load.drop_ins())
    except ConfigError as error:
        kept = Settings().state / _LAST_GOOD
        try:
            settings = msgspec.json.decode(kept.read_bytes(), type=Settings)
        except (OSError, msgspec.DecodeError):
            raise error from None
        to_journal("config.refused", level="error", error=error)
        return settings, f"running on the last good settings: {error}"
    _keep(settings)
    return settings, None


def _keep(settings: Settings) -> None:
    try:
        durable.write(Settings().state / _LAST_GOOD, msgspec.json.encode(settings))
    except OSError as error:
        to_journal("config.unkept", level="warning", error=error)
