"""What a login costs: hook start to standing on disk (OPA's decision included), and what the hooks add to `ssh host true`."""

import json
import statistics
import subprocess
import time

from lab import Host

HOOK_RUNS = 200
PAIRS = 40
_MEASURE = """
import json, os, subprocess, time
taken = []
env = {"PAM_TYPE": "open_session", "PAM_USER": "alice", "PAM_SERVICE": "sshd", "PAM_RHOST": "192.0.2.9"}
for _ in range(%d):
    began = time.perf_counter()
    subprocess.run(["/usr/bin/python3", "-ISE", "/opt/hostseal/libexec/pam-hook"], env=env, check=True)
    taken.append(time.perf_counter() - began)
print(json.dumps(taken))
"""
_OFF = "sed -i.bench '/pam-hook/s/^/#/' /etc/pam.d/sshd"
_ON = "mv /etc/pam.d/sshd.bench /etc/pam.d/sshd"


def hook(host: Host) -> dict[str, float]:
    """Return p50 and p99 in milliseconds of a whole session-phase hook: interpreter, event, decision, standing."""
    done = host.peek(["/usr/bin/python3", "-c", _MEASURE % HOOK_RUNS], timeout=300)
    taken = sorted(json.loads(done.stdout))
    return {"p50": 1000 * statistics.median(taken), "p99": 1000 * taken[int(len(taken) * 0.99) - 1]}


def added(host: Host) -> dict[str, float]:
    """Return medians in milliseconds of `ssh host true` with and without the hooks, in pairs, and their difference."""
    times: dict[str, list[float]] = {"with": [], "without": []}
    for _ in range(PAIRS):
        for kind, taken in times.items():
            if kind == "without":
                host.peek(["sh", "-c", _OFF])
            try:
                began = time.perf_counter()
                subprocess.run([*host.ssh_args("alice"), "true"], check=True, capture_output=True, timeout=60)
                taken.append(1000 * (time.perf_counter() - began))
            finally:
                if kind == "without":
                    host.peek(["sh", "-c", _ON])
    medians = {kind: statistics.median(values) for kind, values in times.items()}
    return {**medians, "added": medians["with"] - medians["without"]}
