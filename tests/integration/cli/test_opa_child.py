"""The OPA that a command runs for itself ends with it."""

import signal
import subprocess
import sys
from pathlib import Path

import requests

PROGRAM = """
import sys, time
from hostseal.policy.serving import Source, served
with served(Source()) as url:
    print(url, flush=True)
    time.sleep(60)
"""


def test_it_ends_with_a_command_that_is_told_to_end(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as command:
        assert command.stdout is not None
        url = command.stdout.readline().strip()
        assert requests.get(f"{url}/health", timeout=5).ok
        command.send_signal(signal.SIGTERM)
        assert command.wait(30) == 128 + signal.SIGTERM
    try:
        requests.get(f"{url}/health", timeout=5)
    except requests.ConnectionError:
        return
    raise AssertionError("OPA is still there")
