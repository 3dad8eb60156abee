"""Reads a lab host's own record from outside: no login, so reading leaves no trace in it."""

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

from lab import Host

T = TypeVar("T")
Record = dict[str, Any]
HOSTSEAL, PYTHON = "/opt/hostseal/bin/hostseal", "/opt/hostseal/bin/python"
# What `hostseal log` reads, without the rest of it: tests look many times a second, and the host has other things to do.
_READER = """
import json, pathlib, sys
from hostseal.spool.reading import SpoolReader
reader = SpoolReader(pathlib.Path("/var/lib/hostseal/spool.db"))
"""
_EVENTS = f"{_READER}print(json.dumps([*reader.events(int(sys.argv[1]))]))"
_LAST = f"{_READER}print(reader.last_seq(0))"


def events(host: Host, after: int = 0) -> list[Record]:
    """Return the event records above that seq."""
    found: list[Record] = json.loads(_asked(host, _EVENTS, str(after)))
    return found


def last_seq(host: Host) -> int:
    """Return the highest seq so far."""
    return int(_asked(host, _LAST))


def _asked(host: Host, script: str, *words: str) -> str:
    done = host.peek([PYTHON, "-I", "-c", script, *words], check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


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
        began = time.monotonic()
        if found := look():
            return found
        ended = time.monotonic()
        assert ended < deadline, f"not within {seconds} s: {what}"
        # The pace of looking, which leaves the host half of the time; the deadline decides.
        time.sleep(min(max(0.1, ended - began), 1.0))


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
