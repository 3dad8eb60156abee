"""What one decision costs does not depend on how many hosts and exemptions the site's data has."""

import json
import subprocess
from pathlib import Path
from typing import Any

from hostseal.policy import bundle

SAMPLE = Path(__file__).parents[1] / "samples" / "events" / "channel_shell.json"
HOSTS, EXEMPTIONS = 10_000, 1_000
EXEMPTION = {"owner": "carol", "reason": "a migration", "expires": "2099-01-01T00:00:00Z"}


def site_of(hosts: int, exemptions: int) -> dict[str, Any]:
    """Return a site in which the event's host is exempted as one of so many."""
    return {
        "groups": {"web": {"mode": "flag"}},
        "hosts": {f"web-{number}": {"groups": ["web"]} for number in range(hosts)},
        "exemptions": {
            "interactive_session": {
                f"host:web-{number}": [{**EXEMPTION, "id": f"EX-{number}"}] for number in range(exemptions)
            }
        },
    }


def allocations(opa: Path, policies: Path, folder: Path, site: dict[str, Any]) -> float:
    """Return what a decision allocates, a measure of its work that a busy machine does not change."""
    folder.mkdir()
    bundle.build(opa, policies, site, folder / "bundle.tar.gz", None)
    event = json.loads(SAMPLE.read_bytes())
    event["host"]["name"] = "web-0"
    (folder / "input.json").write_text(
        json.dumps({"event": event, "standing": {"state": "sealed", "incident": None}})
    )
    asked = ["--bundle", "bundle.tar.gz", "--input", "input.json", "data.hostseal.event.decision"]
    found = subprocess.run(
        [opa, "eval", *asked, "--format", "raw"], cwd=folder, capture_output=True, check=True
    )
    [finding] = json.loads(found.stdout)["findings"]
    assert finding["exemption"] == "EX-0"
    done = subprocess.run(
        [opa, "bench", *asked, "--format", "json"], cwd=folder, capture_output=True, check=True, timeout=60
    )
    measured = json.loads(done.stdout)
    return float(measured["MemAllocs"] / measured["N"])


def test_ten_thousand_hosts_and_a_thousand_exemptions_cost_as_little_as_one(
    opa: Path, policies: Path, tmp_path: Path
) -> None:
    few = allocations(opa, policies, tmp_path / "few", site_of(1, 1))
    many = allocations(opa, policies, tmp_path / "many", site_of(HOSTS, EXEMPTIONS))
    assert many < few * 1.05
