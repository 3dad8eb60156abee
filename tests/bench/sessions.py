"""`python -m bench.sessions`: the agent's CPU time for a login, with and without the watch of its processes, and what is caught."""

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from e2e import record
from lab import Host, Lab
from lab_site import Site, install

LOGINS = 60
CLIENTS = (("true", b""), ("bash", b"id\n"), ("bash", b""), ("sudo id", b""))
_PACKAGE = "/opt/hostseal/lib/python3*/site-packages/hostseal"
_OFF = f"sed -i 's/^        self.recorder.told = /        unwatched = /' {_PACKAGE}/daemon.py; systemctl restart hostseal"
_SETTLE_SECONDS = 8.0


def main() -> int:
    """Measure on one host; print a line for each client, first with the watch and then without."""
    with Lab("bench-sessions") as lab, tempfile.TemporaryDirectory() as folder:
        host = lab.up(["host"])[0]
        install(Site(Path(folder)), [host])
        for how in ("watched", "not watched"):
            for command, sent in CLIENTS:
                print(f"{how:<12} {command!r} {sent!r:<8} {logins(host, command, sent)}", flush=True)
            host.peek(["sh", "-c", _OFF])
    return 0


def logins(host: Host, command: str, sent: bytes) -> str:
    """Return the agent's CPU milliseconds for each of the logins, and which events there were."""
    time.sleep(_SETTLE_SECONDS)  # whatever began before is over
    before, used = record.last_seq(host), _cpu_seconds(host)
    for _ in range(LOGINS):
        subprocess.run(
            [*host.ssh_args("alice"), command], input=sent, capture_output=True, timeout=60, check=True
        )
    time.sleep(_SETTLE_SECONDS)
    used = _cpu_seconds(host) - used
    events = [found["event"] for found in record.events(host, before)]
    kinds = Counter(event["data"].get("kind") or event["type"] for event in events)
    told = {kind: kinds[kind] for kind in ("command", "interactive_command", "session.privilege")}
    return f"{1000 * used / LOGINS:.1f} ms, {told}"


def _cpu_seconds(host: Host) -> float:
    pid = host.peek(["systemctl", "show", "--property=MainPID", "--value", "hostseal"]).stdout.strip()
    fields = host.peek(["cat", f"/proc/{pid}/stat"]).stdout.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
