"""Launchers of hosts for the tests: one that only keeps notes, and the lab's."""

import json
import os
import sys
from pathlib import Path

from hostseal.launcher import PROGRAM, Launcher

IMAGE = "sha256:" + "1" * 64

# One file a machine. `hold` in its folder makes a creation wait in the middle, `fail` makes it break off there.
NOTES = """#!{python}
import fcntl, json, pathlib, sys, time
folder = pathlib.Path({folder!r})
try:
    request = json.loads(sys.argv[1])
    action = request.pop("action")
except (ValueError, KeyError, IndexError) as error:
    sys.exit(f"no request: {{error!r}}")
with (folder / "log").open("a") as log:
    log.write(action + chr(10))
with (folder / "lock").open("w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    def machines():
        return [json.loads(p.read_text()) for p in sorted(folder.glob("*.machine"))]
    if action == "create":
        place = folder / f"{{request['slot']}}-g{{request['generation']}}.machine"
        if place.exists() and json.loads(place.read_text())["instance"] != request["instance"]:
            sys.exit(f"{{place.stem}} exists as another instance")
        if (folder / "fail").exists():
            sys.exit("it broke off")
        (folder / "started").touch()
        while (folder / "hold").exists():
            time.sleep(0.02)
        machine = dict(request, name=place.stem, address="192.0.2.1", state="running")
        place.write_text(json.dumps(machine))
        answer = machine
    elif action == "list":
        answer = machines()
    elif action == "destroy":
        gone = [m for m in machines() if m["instance"] == request["instance"]]
        for machine in gone:
            (folder / (machine["name"] + ".machine")).unlink()
        answer = dict(removed=[m["name"] for m in gone])
    else:
        sys.exit(f"no action {{action}}")
print(json.dumps(answer))
"""


class NotingLauncher(Launcher):
    """A launcher whose hosts are notes in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        program = folder / PROGRAM
        program.write_text(NOTES.format(python=sys.executable, folder=str(folder)))
        program.chmod(0o755)
        super().__init__(program)

    def asked(self) -> list[str]:
        """What it was asked to do so far."""
        log = self.folder / "log"
        return log.read_text().split() if log.exists() else []

    def machine_files(self) -> list[dict[str, object]]:
        return [json.loads(path.read_text()) for path in sorted(self.folder.glob("*.machine"))]


def stale(name: str) -> bool:
    """Tell whether a lab is of a test process that died."""
    start, _, pid = name.partition("-p")
    return start == "image" and pid.isdigit() and not os.path.exists(f"/proc/{pid}")
