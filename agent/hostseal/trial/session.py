"""A trial: the real pipeline on one directory, without root or systemd."""

import os
import signal
import sys
import time
from pathlib import Path

import click

from hostseal.clock import SystemClock
from hostseal.config.files import Backend, FilesSettings
from hostseal.config.seal import SealSettings
from hostseal.config.settings import ActionsSettings, AgentSettings, Settings
from hostseal.core.text import shown
from hostseal.daemon import Daemon
from hostseal.errors import PolicyError
from hostseal.log import line
from hostseal.policy import bundle
from hostseal.policy.engine import OpaEngine
from hostseal.policy.packaged import policies
from hostseal.steps import Step
from hostseal.trial import opa_child
from hostseal.trial.local_flag import LocalFlag

SITE = {"default": {"mode": "flag", "class": "immutable"}}


def run(watched: Path, state: Path | None) -> None:
    """Watch one directory until Ctrl-C (or SIGTERM); print what is seen, decided and done."""
    watched = watched.resolve()
    state = (state or _state_home() / f"trial-{watched.name or 'root'}").resolve()
    if state.is_relative_to(watched):
        raise PolicyError(
            "the trial's state may not lie in the watched directory", hint="choose --state elsewhere"
        )
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    opa = opa_child.find()
    bundle_file = state / "bundle.tar.gz"
    revision = bundle.build(opa, policies(), SITE, bundle_file, None)
    timeline = Timeline()
    settings = Settings(
        agent=AgentSettings(state=str(state)),
        files=FilesSettings(backend=Backend.INOTIFY, watch=(str(watched),)),
        seal=SealSettings(manifest=""),
        actions=ActionsSettings(attempts=3),
    )
    with opa_child.running(opa, bundle_file, state / "decisions.jsonl") as url:
        engine = OpaEngine(url, ca=None, token_file=None, timeout_seconds=2.0)
        flag = LocalFlag(state)
        agent = Daemon(
            settings,
            engine,
            flag,
            SystemClock(),
            timeline,
            timeline.log,
            gate=None,
            ask=engine.ask,
            journal=False,
        )
        _end_on_signals(agent)
        click.echo(
            f"Watching {shown(str(watched))} with pyinotify; policy revision {revision}. Ctrl-C ends it."
        )
        agent.run(lambda: None)
    click.echo(f"\nStanding: {agent.flag.now.state}. The records are in {shown(str(state))}")


def _state_home() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "hostseal"


def _end_on_signals(agent: Daemon) -> None:
    def end(*_: object) -> None:
        agent.stop.set()
        agent.sessions.changed.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)


class Timeline:
    """Prints the steps as they happen, with the seconds since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def __call__(self, step: Step, **fields: object) -> None:
        """Print one step of law 2."""
        told = {
            k: v
            for k, v in fields.items()
            if k in {"type", "why", "actions", "state", "action", "message", "error"}
        }
        if step is not Step.ACKNOWLEDGED and step is not Step.PUBLISHED:
            self._print(line(step, told))

    def log(self, name: str, *, level: str = "info", **fields: object) -> None:
        """Print a named event."""
        self._print(line(name if level == "info" else f"{level}: {name}", fields))

    def _print(self, text: str) -> None:
        sys.stdout.write(f"{time.monotonic() - self._start:8.2f} s  {text}\n")
        sys.stdout.flush()
