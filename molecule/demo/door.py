"""The door: a login that is refused on an enforcing host, and one by break-glass, at its price."""

import json

from demo.timeline import MissingError, Timeline
from lab import Host
from lab.ssh import Completed, finish
from lab.waiting import wait_until
from lab_fleet import FleetLab
from lab_fleet.fleet import GUARDED

AGENT = "/opt/hostseal/bin/hostseal"


def close(timeline: Timeline, fleet: FleetLab) -> None:
    """Arm the gate by a drill, have somebody refused, and let somebody in by break-glass; MissingError."""
    host = fleet.host(f"{GUARDED}-g1")
    _arm(timeline, fleet, host)
    timeline.say("person", f"alice$ ssh {host.name} true      (mode enforce)")
    refused = host.ssh("alice", "true")
    if refused.returncode == 0 or "without break-glass" not in refused.stderr:
        raise MissingError(f"alice was not refused: {refused.stderr}")
    timeline.plain(refused.stderr.strip())
    admitted = _break_glass(
        timeline, fleet, host, "glass", "--reason", "a core dump is needed", command="id -un"
    )
    if admitted.returncode or "will be replaced by" not in admitted.stderr:
        raise MissingError(f"break-glass did not let alice in at its price: {admitted.stderr}")
    timeline.plain(f"{admitted.stderr.strip()}\n{admitted.stdout.strip()}")
    wait_until(lambda: _standing(host) == "flagged", seconds=30, what="the flag of the host that was opened")
    timeline.say("flag", f"{host.name} is flagged: its seal is broken by break-glass")


def _arm(timeline: Timeline, fleet: FleetLab, host: Host) -> None:
    drill = _break_glass(timeline, fleet, host, "drill", "--reason", "a drill", "--drill", command="")
    if drill.returncode:
        raise MissingError(f"the drill failed: {drill.stderr}")
    timeline.plain(drill.stdout.strip())
    wait_until(lambda: _gate(host) == "trial", seconds=30, what="the gate on trial")
    timeline.say("person", f"carol$ ssh deploy@{host.name} sudo hostseal gate confirm")
    timeline.plain(host.ssh("deploy", f"sudo {AGENT} gate confirm").stdout.strip())
    if _gate(host) != "armed":
        raise MissingError("the login gate is not armed")


def _break_glass(
    timeline: Timeline, fleet: FleetLab, host: Host, name: str, *more: str, command: str
) -> Completed:
    key = fleet.folder / name
    site = fleet.folder / "break-glass-site.json"
    site.write_text(json.dumps({"break_glass": fleet.site_data["break_glass"]}), "utf-8")
    shown = f"carol$ hostseal break-glass grant --user alice --host {host.name} --ticket INC-7"
    timeline.say("person", f"{shown}{' --drill' if '--drill' in more else ''}")
    made = fleet.run(
        "break-glass", "grant", "--user", "alice", "--host", host.name, "--fleet", str(fleet.settings),
        "--ticket", "INC-7", "--authority", str(fleet.break_glass), "--site", str(site), "--out", str(key),
        "--record", str(fleet.folder / "break-glass"), "--person", "carol", *more,
    )  # fmt: skip
    if made.returncode:
        raise MissingError(f"no certificate was made: {made.stderr}")
    timeline.say("person", f"alice$ ssh -i {name} {host.name} {command}".rstrip())
    words = [str(key) if word == str(host.key("alice")) else word for word in host.ssh_args("alice")]
    return finish([*words, *([command] if command else [])], given=None, timeout=30)


def _gate(host: Host) -> str:
    return str(json.loads(host.peek([AGENT, "gate", "status", "--json"]).stdout)["state"])


def _standing(host: Host) -> str:
    return str(json.loads(host.peek(["cat", "/var/lib/hostseal/flag.json"]).stdout)["state"])
