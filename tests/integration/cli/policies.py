"""What the tests of `hostseal policy` share: the command, a site, and a decision log as a fleet leaves it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "tests/samples/events"
SITE: dict[str, Any] = {
    "automation": {"accounts": ["deploy"]},
    "default": {"mode": "flag"},
    "hosts": {"lab-1": {"mode": "observe"}},
}
KINDS = ("channel_shell", "channel_sftp", "session_opened_person", "session_closed", "agent_started")


def hostseal(*arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the command as a person does."""
    command = [sys.executable, "-m", "hostseal", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=280, env={**os.environ, **environment}
    )


def event(sample: str, host: str) -> dict[str, Any]:
    """Return a recorded event as this host's."""
    found: dict[str, Any] = json.loads((SAMPLES / f"{sample}.json").read_bytes())
    found["host"]["name"] = host
    return found


def asked(sample: str, host: str) -> dict[str, Any]:
    """Return the question about it, of a host whose seal is intact."""
    return {"event": event(sample, host), "standing": {"state": "sealed", "incident": None}}


def questions(number: int, hosts: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield so many questions of these hosts, of all kinds in turn."""
    names = list(hosts)
    for count in range(number):
        yield asked(KINDS[count % len(KINDS)], names[count // len(KINDS) % len(names)])


def entry(number: int, question: dict[str, Any], decision: Any) -> dict[str, Any]:
    """Return OPA's own entry about it."""
    return {
        "bundles": {"hostseal": {"revision": "0123456789abcdef"}},
        "decision_id": f"00000000-0000-4000-8000-{number:012d}",
        "input": question,
        "labels": {"version": "1.20.2"},
        "level": "info",
        "msg": "Decision Log",
        "path": "hostseal/event/decision",
        "requested_by": "127.0.0.1:40000",
        "result": decision,
        "timestamp": "2026-01-02T03:04:05.000000Z",
    }
