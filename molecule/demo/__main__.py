"""`make demo`: exits 0 only if every step was observed, and leaves nothing running."""

import argparse
import shutil
import sys
from pathlib import Path

from demo.story import tell
from demo.timeline import MissingError, Timeline
from hostseal.errors import HostsealError
from lab import Lab, LabError, leftovers
from lab_fleet import FleetLab

PREFIX = "demo"
FOLDER = Path(__file__).resolve().parents[2] / ".demo"


def main() -> int:
    """Run the demo; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="demo", description="A broken seal flags its host, on a real machine."
    )
    parser.add_argument("--svg", type=Path, metavar="FILE", help="also save what is shown, as a picture")
    arguments = parser.parse_args()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(mode=0o700)
    timeline = Timeline()
    status = 0
    Lab(PREFIX).down()
    try:
        with FleetLab(FOLDER, PREFIX, ("web-1", "web-2", "web-3"), data={}) as fleet:
            tell(timeline, fleet)
    except (HostsealError, LabError, MissingError) as error:
        timeline.say("FAILED", str(error))
        status = 1
    except KeyboardInterrupt:
        timeline.say("FAILED", "interrupted")
        status = 130
    if left := leftovers(PREFIX):
        timeline.say("FAILED", f"left behind: {', '.join(left)}")
        status = status or 1
    else:
        timeline.say("lab", "hosts stopped; nothing is left behind")
    if arguments.svg:
        timeline.save(arguments.svg)
    return status


if __name__ == "__main__":
    sys.exit(main())
