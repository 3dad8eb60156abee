"""How long it takes from close(2) of a written file until its event is on disk, for both sensors at once, on the same writes.

    PYTHONPATH=agent:molecule:tests python -m bench.files_delay

A lone writer rewrites one sealed file after another, each some time after the last. A change set closes when its writer
has been quiet for `quiet_seconds` (default 0.5): that wait is in the delay by design, and told apart. Measured with the
default and with a shorter one, which gives more samples. Under a writer that never rests an event comes at `max_age_seconds`.
"""

import argparse
import json
import math
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack

from bench import results
from bench.files_burst import OURS, Machine, agent, ready, shared
from bench.files_load import write
from hostseal.spool.reading import SpoolReader

SAMPLES = ((0.5, 80), (0.1, 240))
"""`quiet_seconds` and how many writes."""

_REST_SECONDS = 0.25


def sample(machine: Machine, quiet: float, count: int) -> dict[str, list[float]]:
    """Return each sensor's delays in seconds, `quiet_seconds` included."""
    states = {name: machine.folder / name for name in OURS}
    with ExitStack() as running:
        agents = {
            name: running.enter_context(
                subprocess.Popen(
                    agent(machine, name, states[name], "--quiet", str(quiet)),
                    text=True,
                    stdout=subprocess.PIPE,
                )
            )
            for name in OURS
        }
        try:
            if not all(ready(process) for process in agents.values()):
                raise SystemExit("an agent did not start")
            time.sleep(3.0)  # the scan at the start is over, which is no part of this
            closed = {}
            for number in range(count):
                path = f"{machine.root}/etc/{number % 175}/{number // 175}"
                write(path)
                closed[path] = time.monotonic()
                time.sleep(quiet + _REST_SECONDS)
            time.sleep(3.0)
            for process in agents.values():
                process.send_signal(signal.SIGTERM)
            told = {name: json.loads(process.communicate(timeout=60)[0]) for name, process in agents.items()}
        finally:
            for process in agents.values():
                process.kill()
    found = {name: delays(state, told[name]["spooled"], closed) for name, state in states.items()}
    for state in states.values():
        shutil.rmtree(state)
    for name, one in found.items():
        if len(one) != count:
            raise SystemExit(f"{name}: {count} files were written, {len(one)} are on record")
    return found


def delays(state: os.PathLike[str], spooled: dict[str, float], closed: dict[str, float]) -> list[float]:
    """Return for each closed file how much later the first event that names it was on disk."""
    left, found = dict(closed), []
    for one in SpoolReader(state / "spool.db").events():  # type: ignore[operator]
        event = one["event"]
        for path in event["data"].get("paths", ()) if event["type"] == "files.changed" else ():
            if (at := left.pop(path["path"], None)) is not None:
                found += [spooled[str(event["seq"])] - at]
    return found


def percentile(values: list[float], percent: float) -> float:
    """Return the smallest value that so many percent of them do not exceed."""
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("needs root: it mounts a tmpfs and marks it")
    rows = []
    with shared() as machine:
        for quiet, count in SAMPLES:
            print(f"{count} writes, quiet_seconds {quiet}", file=sys.stderr, flush=True)
            for name, taken in sample(machine, quiet, count).items():
                rows.append(
                    {
                        "consumer": name,
                        "quiet_seconds": quiet,
                        "samples": len(taken),
                        "p50_ms": 1000 * statistics.median(taken),
                        "p99_ms": 1000 * percentile(taken, 99),
                        "p50_beyond_quiet_ms": 1000 * (statistics.median(taken) - quiet),
                        "p99_beyond_quiet_ms": 1000 * (percentile(taken, 99) - quiet),
                    }
                )
    print(results.save("files_delay", rows, {}))


if __name__ == "__main__":
    main()
