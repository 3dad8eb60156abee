"""`python -m bench.door`: what an armed login gate adds to a login, alone and in a crowd, and what a login costs the host."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.idle import UNITS, cpu_seconds
from bench.logins import OFF, ON, PREPARE
from e2e.guarded import Guarded, set_up
from lab import Lab

PAIRS = 40
CROWD = 50
# So that the crowd tests us and not sshd.
_ROOM = "printf 'MaxStartups 500:30:600\\n' > /etc/ssh/sshd_config.d/99-bench.conf && systemctl reload ssh"


def main() -> int:
    """Measure, and print one table."""
    with Lab("benchdoor") as lab, tempfile.TemporaryDirectory() as folder:
        guarded = set_up(lab, Path(folder))
        guarded.host.peek(["sh", "-c", f"{_ROOM}; {PREPARE}"])
        guarded.arm()
        times = {"with": [0.0] * 0, "without": [0.0] * 0}
        for _ in range(PAIRS):
            times["with"].append(_login(guarded, 1))
            times["without"].append(_without(guarded, 1))
        on, off = (1000 * statistics.median(times[kind]) for kind in ("with", "without"))
        print(
            f"ssh host true, gate armed     {off:.0f} ms without the hooks, {on:.0f} with: {on - off:+.0f} ms, {on / off:.2f} times"
        )
        before = {unit: cpu_seconds(guarded.host, unit) for unit in UNITS}
        crowd = statistics.median(_login(guarded, CROWD) for _ in range(3))
        spent = {unit: cpu_seconds(guarded.host, unit) - before[unit] for unit in UNITS}
        alone = statistics.median(_without(guarded, CROWD) for _ in range(3))
        print(
            f"{CROWD} logins at once          {alone:.1f} s without the hooks, {crowd:.1f} with: {crowd / alone:.2f} times"
        )
        for unit, seconds in spent.items():
            print(f"CPU per login, {unit:<16} {1000 * seconds / (3 * CROWD):.1f} ms")
    return 0


def _without(guarded: Guarded, number: int) -> float:
    guarded.host.peek(["sh", "-c", OFF])
    try:
        return _login(guarded, number)
    finally:
        guarded.host.peek(["sh", "-c", ON])


def _login(guarded: Guarded, number: int) -> float:
    """Return the seconds until so many logins of automation's, begun together, have all run `true`."""
    began = time.perf_counter()
    command = [*guarded.host.ssh_args("deploy"), "true"]
    running = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(number)]
    failed = [client.args for client in running if client.wait(120)]
    if failed:
        raise RuntimeError(f"{len(failed)} of {number} logins failed")
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
