"""Reads a lab host's own record from outside: no login, so reading leaves no trace in it."""

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

from lab import Host

T = TypeVar("T")
Record = dict[str, Any]
HOSTSEAL = "/opt/hostseal/bin/hostseal"


def events(host: Host, after: int = 0) -> list[Record]:
    """Return the event records above that seq."""
    done = host.peek([HOSTSEAL, "log", "--json", "--last", "100000"])
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    return [r for r in records if r["kind"] == "event" and r["event"]["seq"] > after]


def last_seq(host: Host) -> int:
    """Return the highest seq so far."""
    return max((r["event"]["seq"] for r in events(host)), default=0)


def status(host: Host) -> Record:
    """Return what `hostseal status --json` says."""
    done = host.peek([HOSTSEAL, "status", "--json"], check=False)
    found: Record = json.loads(done.stdout)
    return found


def standing(host: Host) -> str:
    """Return the host's standing in one word."""
    return str(status(host)["standing"]["state"])


def wait_until(look: Callable[[], T], *, seconds: float = 60, what: str) -> T:
    """Return the first true value `look` gives; fail, saying what was waited for, after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        if found := look():
            return found
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)  # the pace of looking; the deadline decides


def wait_for(host: Host, after: int, kind: str, match: Callable[[Record], bool] = lambda _: True) -> Record:
    """Return the first acknowledged event of that type whose data matches."""

    def look() -> Record | None:
        for record in events(host, after):
            if (
                record["event"]["type"] == kind
                and record["state"] == "done"
                and match(record["event"]["data"])
            ):
                return record
        return None

    return wait_until(look, what=f"{kind} on {host.name}")
