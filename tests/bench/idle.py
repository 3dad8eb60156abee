"""What the agent costs while nothing happens, with OPA's own figures beside it."""

import os
import time

from lab import Host

SECONDS = 120
UNITS = ("hostseal.service", "opa.service")


def idle(host: Host) -> dict[str, dict[str, float]]:
    """Return for each unit the CPU share in percent over two minutes, and the resident memory in MB at their end."""
    before = {unit: cpu_seconds(host, unit) for unit in UNITS}
    time.sleep(SECONDS)  # the measurement itself
    return {
        unit: {
            "cpu_percent": 100 * (cpu_seconds(host, unit) - before[unit]) / SECONDS,
            "rss_mb": _rss_mb(host, unit),
        }
        for unit in UNITS
    }


def cpu_seconds(host: Host, unit: str) -> float:
    """Return the CPU seconds that a unit's main process has used."""
    fields = host.peek(["cat", f"/proc/{_pid(host, unit)}/stat"]).stdout.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_mb(host: Host, unit: str) -> float:
    text = host.peek(["cat", f"/proc/{_pid(host, unit)}/status"]).stdout
    line = next(line for line in text.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def _pid(host: Host, unit: str) -> str:
    return host.peek(["systemctl", "show", "--property=MainPID", "--value", unit]).stdout.strip()
