"""What stricter policies would have made of the decisions that were just recorded."""

import json
import os
from pathlib import Path

from demo.timeline import MissingError, Timeline
from lab_fleet import FleetLab

STRICTER = {"channel": {"command": "flag", "sftp": "flag"}, "privilege": "flag"}


def stricter(timeline: Timeline, fleet: FleetLab, records: Path) -> None:
    """Replay the host's decisions against site data by which commands, sftp and sudo break the seal, too."""
    site, log = fleet.folder / "stricter.json", records / "decisions.jsonl"
    site.write_text(json.dumps({**fleet.site_data, **STRICTER}, indent=2), "utf-8")
    timeline.say(
        "person",
        f"carol$ hostseal policy preview --site {site.name} --against {os.path.relpath(log)}"
        "      (commands, sftp and sudo break the seal, too)",
    )
    done = fleet.run("policy", "preview", "--site", str(site), "--against", str(log))
    for line in filter(None, done.stdout.splitlines()):
        timeline.say("OPA", line)
    if done.returncode or "privilege_gained" not in done.stdout:
        raise MissingError(f"the preview does not tell of alice's sudo: {done.stdout}{done.stderr}")
