"""Data of a large site for the benchmark of decisions: hosts, and exemptions of which hardly any is for the host that asks."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
HOSTS, GROUPS = 10_000, 40
EXPIRES = "2099-01-01T00:00:00Z"
SUBJECTS = ("host:web-{}", "user:person-{}", "host:web-{}", "group:group-{}")


def rules() -> list[str]:
    """Return the names of the rules about events."""
    return sorted(path.name for path in (ROOT / "policies/hostseal/rules").iterdir() if path.is_dir())


def name(number: int) -> str:
    """Return a host's name."""
    return f"web-{number % HOSTS}"


def site(exemptions: int) -> dict[str, Any]:
    """Return the site's data: 10,000 hosts in 40 groups, and so many exemptions over all rules, hosts, groups and people."""
    groups = {f"group-{number}": {"mode": ("flag", "observe")[number % 2]} for number in range(GROUPS)}
    hosts = {name(number): {"groups": [f"group-{number % GROUPS}"]} for number in range(HOSTS)}
    excused: dict[str, dict[str, list[dict[str, Any]]]] = {}
    known = rules()
    for number in range(exemptions):
        subject = SUBJECTS[number % len(SUBJECTS)]
        # Of the groups only the last few are excused, so that the same share of hosts is at every size.
        subject = subject.format(GROUPS - 1 - number % 2 if subject.startswith("group") else number)
        entry = {"id": f"EX-{number}", "owner": "ops", "reason": "a benchmark", "expires": EXPIRES, "paths": [f"/opt/app-{number}/**"]}  # fmt: skip
        excused.setdefault(known[number % len(known)], {}).setdefault(subject, []).append(entry)
    return {
        "groups": groups,
        "hosts": hosts,
        "exemptions": excused,
        "default": {"mode": "flag", "class": "immutable"},
    }


def questions() -> list[dict[str, Any]]:
    """Return every sample event as the agent asks about it, each of another host that no exemption names."""
    found = []
    for number, path in enumerate(sorted((ROOT / "tests/samples/events").glob("*.json"))):
        event = json.loads(path.read_bytes())
        event["host"]["name"] = name(HOSTS - 1 - number)
        found.append({"event": event, "standing": {"state": "sealed", "incident": None, "recent": []}})
    return found
