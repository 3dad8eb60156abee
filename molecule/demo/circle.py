"""The demo's second half: a patch is refused, the flagged host is replaced, and the record tells why."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from demo.timeline import MissingError, Timeline
from lab_fleet import FleetLab
from lab_site.install import AUTOMATION, REPO

HERE = Path(__file__).parent
_SECONDS = 300


def refuse_a_patch(timeline: Timeline, fleet: FleetLab) -> None:
    """Run a play that would patch the hosts in place; it must be refused, and change nothing."""
    inventory = fleet.folder / "inventory.json"
    hosts = {
        host.name: {
            "ansible_host": host.address,
            "ansible_user": AUTOMATION,
            "ansible_ssh_private_key_file": str(host.key(AUTOMATION)),
            "ansible_python_interpreter": "/usr/bin/python3",
        }
        for host in fleet.lab.hosts()
    }
    inventory.write_text(json.dumps({"web": {"hosts": hosts}}), "utf-8")
    timeline.say("person", "carol$ ansible-playbook patch.yml      (mends the page on the web servers)")
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(REPO / "collections"),
        "ANSIBLE_HOME": str(fleet.folder / "ansible"),
        "ANSIBLE_NOCOLOR": "1",
        "DEMO_OPA_URL": fleet.opa_url,
    }
    program = Path(sys.executable).with_name("ansible-playbook")
    done = subprocess.run(
        [program, "-i", inventory, HERE / "patch.yml"],
        env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False,
    )  # fmt: skip
    said = re.search(r'"msg": ("(?:[^"\\]|\\.)*")', " ".join(done.stdout.split()))
    if done.returncode == 0 or said is None or "in place" not in said[1]:
        raise MissingError(f"the patch was not refused: {done.stdout[-2000:]}")
    timeline.say("gate", json.loads(said[1]))


def replace(timeline: Timeline, fleet: FleetLab, host: str) -> str:
    """Have the controller replace the host; return its successor's name."""
    would = fleet.run("fleet", "once", "--host", host, "--check")
    timeline.say("person", f"carol$ hostseal fleet once --host {host} --check")
    for line in would.stdout.splitlines():
        timeline.say("fleet", line)
    timeline.say("person", f"carol$ hostseal fleet once --host {host}")
    command = [Path(sys.executable).with_name("hostseal"), "fleet", "once", "--host", host]
    with subprocess.Popen(
        command, env=fleet.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        said = []
        for line in running.stdout or ():
            said.append(line)
            timeline.say("fleet", line.strip())
    found = re.search(rf"{re.escape(host)} was replaced by (\S+)", "".join(said))
    if running.returncode or found is None:
        raise MissingError(f"{host} was not replaced: {''.join(said)}")
    return found[1]


def explain(timeline: Timeline, fleet: FleetLab, host: str, successor: str) -> None:
    """Show why, from the ledger alone, and that the ledger is whole."""
    timeline.say("person", f"carol$ hostseal explain {host}")
    told = fleet.run("explain", host)
    timeline.plain(told.stdout, hanging=12)
    for said in ("alice", "/etc/sysctl.conf", "evidence", successor, "retired"):
        if said not in told.stdout:
            raise MissingError(f"the explanation does not say {said}: {told.stdout}{told.stderr}")
    checked = fleet.run("ledger", "verify")
    timeline.say("person", "carol$ hostseal ledger verify")
    for line in checked.stdout.splitlines():
        timeline.say("ledger", line)
    if checked.returncode:
        raise MissingError(f"the ledger does not verify: {checked.stdout}{checked.stderr}")
