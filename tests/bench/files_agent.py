"""The agent itself for the file benchmarks: the daemon with its spool on disk and a real OPA, started by the benchmark.

    python -m bench.files_agent --root DIR --state DIR --seal DIR --opa URL --backend B [--quiet S] [--without-hashing] [--cover]

It prints `ready` when it sees changes, and its status for each line it is sent; on SIGTERM it prints, as JSON, its status, the pairs it has seen (`--cover`), and when
which event was on disk.
"""

import argparse
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.files_load import Seen
from hostseal.clock import SystemClock
from hostseal.config.files import Backend, FilesSettings
from hostseal.config.seal import SealSettings
from hostseal.config.settings import ActionsSettings, AgentSettings, Settings
from hostseal.daemon import Daemon
from hostseal.policy.engine import OpaEngine
from hostseal.ports import RawChange
from hostseal.scans import judge
from hostseal.seal import look
from hostseal.sensors.file_watch import FileWatch
from hostseal.steps import Step
from hostseal.trial.local_flag import LocalFlag

START_SECONDS = 30.0
_KIND = {"created": "c", "modified": "m", "attributes": "a", "deleted": "d"}


class Told:
    """The daemon's listener: when each event was on disk, by the monotonic clock."""

    def __init__(self) -> None:
        self.spooled: dict[int, float] = {}

    def __call__(self, step: Step, **fields: Any) -> None:
        if step is Step.OBSERVED:
            self.spooled[fields["seq"]] = time.monotonic()


def settings(arguments: argparse.Namespace) -> Settings:
    """Return the defaults, but for where things are."""
    quiet = {"quiet_seconds": arguments.quiet} if arguments.quiet is not None else {}
    return Settings(
        agent=AgentSettings(state=arguments.state),
        files=FilesSettings(
            backend=Backend(arguments.backend), watch=(f"{arguments.root}/etc",), exclude=(), **quiet
        ),
        seal=SealSettings(
            manifest="" if arguments.without_hashing else f"{arguments.seal}/image.seal",
            public_key=f"{arguments.seal}/seal.pub",
        ),
        actions=ActionsSettings(attempts=1),
    )


def without_hashing() -> None:
    """Take the digests out: no file is small enough to be read. Without them there is no seal to compare with, and no scan."""
    judge.entry = lambda path, place, *, limit: look.entry(path, place, limit=0)


def cover(root: str) -> Seen:
    """Have each change that the sensor hands on noted."""
    seen, take = Seen(root), FileWatch.changed_many

    def changed_many(self: FileWatch, changes: Sequence[RawChange]) -> None:
        for change in changes:
            if change.what in _KIND:
                seen.add(change.path.decode(), _KIND[change.what])
        take(self, changes)

    FileWatch.changed_many = changed_many  # type: ignore[method-assign]
    return seen


def announce(agent: Daemon, root: str) -> None:
    """Say `ready` once changes are seen. Another process makes them, for the agent's own ones are left out."""
    probe = f"{root}/etc/0/probe"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and not agent.files.status().get("events"):
        subprocess.run(["touch", probe], check=True)
        time.sleep(0.1)
    subprocess.run(["rm", "-f", probe], check=True)
    print("ready" if agent.files.status().get("events") else "blind", flush=True)


def answer(agent: Daemon) -> None:
    """Tell the state of the file sensor and of the scans for each line of standard input."""
    for _ in sys.stdin:
        print(json.dumps(agent.status()["files"]), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--root", "--state", "--seal", "--opa", "--backend"):
        parser.add_argument(name, required=True)
    parser.add_argument("--quiet", type=float)
    parser.add_argument("--without-hashing", action="store_true")
    parser.add_argument("--cover", action="store_true")
    arguments = parser.parse_args()
    if arguments.without_hashing:
        without_hashing()
    seen = cover(arguments.root) if arguments.cover else None
    told = Told()
    engine = OpaEngine(arguments.opa, ca=None, token_file=None, timeout_seconds=5.0)
    agent = Daemon(
        settings(arguments),
        engine,
        LocalFlag(Path(arguments.state)),
        SystemClock(),
        told,
        lambda name, **fields: print(name, fields, file=sys.stderr),
        gate=None,
        ask=engine.ask,
        journal=False,
    )

    def end(*_: object) -> None:
        agent.stop.set()
        agent.sessions.changed.set()

    signal.signal(signal.SIGTERM, end)
    threading.Thread(target=announce, args=(agent, arguments.root), daemon=True).start()
    threading.Thread(target=answer, args=(agent,), daemon=True).start()
    agent.run(lambda: None)
    status = agent.status()["files"]
    result = {"status": status, "spooled": told.spooled, "pairs": seen and seen.pairs}
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
