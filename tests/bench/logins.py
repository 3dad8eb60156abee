"""What a login costs: hook start to standing on disk (OPA's decision included), and what the hooks add to `ssh host true`."""

import json
import statistics
import subprocess
import time

from lab import Host

HOOK_RUNS = 200
PAIRS = 40
# Each run is a session of its own (writing the login uid begins one), so each changes the standing.
_MEASURE = """
import json, os, subprocess, time
taken = []
env = {"PAM_USER": "alice", "PAM_SERVICE": "sshd", "PAM_RHOST": "192.0.2.9", "PAM_TYPE": "open_session"}
command = ["/usr/bin/python3", "-ISE", "/opt/hostseal/libexec/pam-hook", str(os.getpid())]
def begin():
    with open("/proc/self/loginuid", "w") as file:
        file.write("1000")
for _ in range(%d):
    began = time.perf_counter()
    subprocess.run(command, env=env, check=True, preexec_fn=begin)
    taken.append(time.perf_counter() - began)
print(json.dumps(taken))
"""
_WRITTEN = (
    "journalctl --unit hostseal --output cat --since @%d | grep --count 'standing.written.*state=suspect'"
)
# Mounted over, not edited: an edit would flag the host, and a flagged host has less to do at a login.
PREPARE = "grep --invert-match pam-hook /etc/pam.d/sshd > /run/sshd-without-the-hook"
OFF = "mount --bind /run/sshd-without-the-hook /etc/pam.d/sshd"
ON = "umount /etc/pam.d/sshd"


def hook(host: Host) -> dict[str, float]:
    """Return p50 and p99 in milliseconds of a whole session-phase hook: interpreter, event, decision, standing."""
    began = int(time.time())
    done = host.peek(["/usr/bin/python3", "-c", _MEASURE % HOOK_RUNS], timeout=300)
    taken = sorted(json.loads(done.stdout))
    written = int(host.peek(["sh", "-c", _WRITTEN % began]).stdout)
    if written < HOOK_RUNS:
        raise RuntimeError(f"{HOOK_RUNS} logins changed the standing only {written} times")
    return {"p50": 1000 * statistics.median(taken), "p99": 1000 * taken[int(len(taken) * 0.99) - 1]}


def added(host: Host) -> dict[str, float]:
    """Return medians in milliseconds of `ssh host true` with and without the hooks, in pairs, and their difference."""
    host.peek(["sh", "-c", PREPARE])
    times: dict[str, list[float]] = {"with": [], "without": []}
    for _ in range(PAIRS):
        for kind, taken in times.items():
            if kind == "without":
                host.peek(["sh", "-c", OFF])
            try:
                began = time.perf_counter()
                subprocess.run([*host.ssh_args("alice"), "true"], check=True, capture_output=True, timeout=60)
                taken.append(1000 * (time.perf_counter() - began))
            finally:
                if kind == "without":
                    host.peek(["sh", "-c", ON])
    medians = {kind: statistics.median(values) for kind, values in times.items()}
    return {**medians, "added": medians["with"] - medians["without"]}
