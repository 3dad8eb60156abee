"""The README's commands, as a newcomer runs them."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from lab import leftovers

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]


def make(*arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    return subprocess.run(
        ["make", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env=environment,
    )


def test_the_demo_observes_every_step_and_leaves_nothing_behind() -> None:
    done = make("demo")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    output = " ".join(done.stdout.split())
    for said in (
        "alice$ ssh",
        "session.opened",
        "opened an interactive shell",
        "seal intact:",
        "/etc/sysctl.conf",
        "seal broken:",
        "playbook flag.yml done",
        "hostseal policy preview",
        "decisions replayed",
        "privilege_gained",
        "patches the immutable hosts",
        "demo-web-1-g1 was replaced by demo-web-1-g2",
        "decision",
        "new host demo-web-1-g2",
        "whole",
    ):
        assert said in output
    assert re.search(r"incident [0-9a-f-]{36}", output)
    assert "every step was observed" in output
    assert re.search(r"[1-9][0-9]* requests were sent all along, 0 failed", output)
    assert leftovers("demo") == []
    for name in ("flag.json", "spool.db", "decisions.jsonl"):
        assert (ROOT / ".demo/records" / name).stat().st_size > 0


def test_lab_up_leaves_hosts_with_the_agent_and_lab_down_takes_them_away() -> None:
    try:
        done = make("lab-up", "N=2")
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
        for said in ("lab-1", "lab-2", "as a person:", "as the automation account:"):
            assert said in done.stdout
    finally:
        assert make("lab-down").returncode == 0
    assert leftovers("lab") == []
