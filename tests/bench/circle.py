"""From a broken seal to a verified new host, with the time of each step."""

import re
import sys
import tempfile
import time
from pathlib import Path

import pexpect

from lab import LabError
from lab_fleet import FleetLab

ROUNDS = 3
WAIT_SECONDS = 60.0


def main() -> int:
    """Measure, and print one table."""
    with (
        tempfile.TemporaryDirectory() as folder,
        FleetLab(Path(folder), "benchfleet", ("web-1",), data={}) as fleet,
    ):
        fleet.image(lambda line: print(line, file=sys.stderr, flush=True))
        fleet.up()
        print(
            "| round | violation to flag in the ledger | evidence | create | verify | serve, drain, retire | all |"
        )
        print("|---|---|---|---|---|---|---|")
        for number in range(1, ROUNDS + 1):
            print(_round(fleet, number), flush=True)
    return 0


def _round(fleet: FleetLab, number: int) -> str:
    (host,) = fleet.lab.hosts()
    program, *arguments = host.ssh_args("alice", pty=True)
    session = pexpect.spawn(program, arguments, encoding="utf-8", timeout=30)
    session.expect(r"[$#] ")
    began = time.monotonic()
    _wait_for_flag(fleet, host.name)
    flagged = time.monotonic() - began
    session.close(force=True)
    done = fleet.run("fleet", "once", "--host", host.name)
    whole = time.monotonic() - began
    at = {step: float(seconds) for seconds, step in re.findall(r"([0-9.]+) s  (\w+)", done.stderr)}
    if done.returncode or "retire" not in at:
        raise LabError(f"{host.name} was not replaced: {done.stdout}{done.stderr}")
    spent = [at["create"] - at["evidence"], at["verify"] - at["create"], at["serve"] - at["verify"]]
    rest = whole - flagged - at["serve"]
    cells = [f"{seconds:.1f} s" for seconds in (flagged, *spent, rest, whole)]
    return f"| {number} | {' | '.join(cells)} |"


def _wait_for_flag(fleet: FleetLab, host: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    with fleet.opened() as ledger:
        while not any(flag.host == host for flag in ledger.open_flags()):
            if time.monotonic() > deadline:
                raise LabError(f"the flag of {host} did not reach the ledger")
            time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
