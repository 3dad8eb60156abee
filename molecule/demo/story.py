"""What the demo does, step by step, and what it must observe to be a success."""

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path

import pexpect

from demo import door, preview, seal
from demo.circle import explain, refuse_a_patch, replace
from demo.timeline import MissingError, Timeline
from demo.watch import Record, Watch
from hostseal.core.event import in_words
from lab import Host, LabError
from lab.waiting import wait_until
from lab_fleet import FleetLab

PROMPT = r"[$#] "
EDITED = "/etc/sysctl.conf"
RECORDS = ("/var/lib/hostseal/flag.json", "/var/lib/hostseal/spool.db", "/var/log/hostseal/decisions.jsonl")


def tell(timeline: Timeline, fleet: FleetLab) -> None:
    """Run the whole story; MissingError names the first step that was not observed."""
    with timeline.working("host image: Packer, the collection's roles over ssh, boot test"):
        image = fleet.image(lambda _line: None)
    timeline.say("lab", f"image {image.digest} is current")
    with timeline.working(f"{len(fleet.slots)} web hosts from it, by OpenTofu, behind HAProxy"):
        fleet.up()
    with fleet.load() as load:
        host = fleet.host(f"{fleet.prefix}-{fleet.slots[0]}-g1")
        seal.intact(timeline, host)
        watch = Watch(host, timeline)
        try:
            _observe(watch, "a record of the agent", lambda _: True)
            _break_the_seal(timeline, host, watch)
            _see_the_flag(timeline, host, watch)
        finally:
            watch.close()
        seal.broken(timeline, host, EDITED)
        preview.stricter(timeline, fleet, _keep(timeline, host, fleet.folder))
        refuse_a_patch(timeline, fleet)
        _wait_for_the_ledger(timeline, fleet, host.name)
        successor = replace(timeline, fleet, host.name)
        seal.intact(timeline, fleet.host(successor))
    explain(timeline, fleet, host.name, successor)
    door.close(timeline, fleet)
    timeline.say("web", f"{load.sent} requests were sent all along, {len(load.failed)} failed")
    if load.failed:
        raise MissingError(f"requests failed: {', '.join(load.failed[:3])}")
    timeline.say("check", "every step was observed")


def _wait_for_the_ledger(timeline: Timeline, fleet: FleetLab, host: str) -> None:
    with fleet.opened() as ledger:
        wait_until(
            lambda: any(flag.host == host for flag in ledger.open_flags()),
            seconds=30,
            what="the flag in the ledger",
        )
    timeline.say("ledger", f"the flag of {host} is in the ledger")


def _break_the_seal(timeline: Timeline, host: Host, watch: Watch) -> None:
    timeline.say("person", f"alice$ ssh {host.name}")
    program, *arguments = host.ssh_args("alice", pty=True)
    session = pexpect.spawn(program, arguments, encoding="utf-8", timeout=30)
    try:
        session.expect(PROMPT)
        _observe(watch, "the login", lambda r: _type(r) == "session.opened" and _user(r) == "alice")
        _observe(watch, "her shell", lambda r: _type(r) == "session.channel" and _user(r) == "alice")
        for command in ("sudo -i", f"echo 'vm.swappiness = 1' >> {EDITED}"):
            timeline.say("person", f"{'alice$' if command == 'sudo -i' else 'root#'} {command}")
            session.sendline(command)
            session.expect(PROMPT)
        changed = _observe(
            watch, "the edit", lambda r: _type(r) == "files.changed" and EDITED in json.dumps(r)
        )
        if (changed["event"]["data"]["writer"].get("session") or {}).get("user") != "alice":
            raise MissingError("the edit was not attributed to alice's session")
    finally:
        session.close(force=True)


def _see_the_flag(timeline: Timeline, host: Host, watch: Watch) -> None:
    _observe(
        watch, "the flag's playbook", lambda r: r["kind"] == "action" and r["state"] == "done", seconds=60
    )
    standing = json.loads(host.peek(["cat", "/var/lib/hostseal/flag.json"]).stdout)
    incident = standing.get("incident")
    if standing["state"] != "flagged" or not incident:
        raise MissingError("the host is not flagged on disk")
    timeline.say(
        "flag",
        f"incident {incident['id']}, {incident['evidence']} event(s), replace by {in_words(incident['deadline'])}",
    )
    for reason in incident["reasons"]:
        timeline.say("flag", f"reason: {reason}")
    timeline.say("person", f"bob$ ssh {host.name} true      (the next login)")
    banner = host.ssh("bob", "true").stderr
    if incident["id"] not in banner:
        raise MissingError("the next login does not see the flag in its banner")
    timeline.plain(banner.strip())
    log = host.peek(["cat", "/var/log/hostseal/decisions.jsonl"]).stdout
    logged = {json.loads(line).get("decision_id") for line in log.splitlines()}
    decided = watch.wait(lambda r: _type(r) == "session.channel" and _user(r) == "alice", seconds=1)
    if decided is None or decided["decision_id"] not in logged:
        raise MissingError("the decision is not in OPA's decision log")
    timeline.say(
        "check", f"decision {decided['decision_id']} stands in OPA's decision log, revision and input with it"
    )


def _observe(watch: Watch, what: str, match: Callable[[Record], bool], *, seconds: float = 30) -> Record:
    found = watch.wait(match, seconds=seconds)
    if found is None:
        raise MissingError(f"{what} was not observed within {seconds:.0f} s")
    return found


def _keep(timeline: Timeline, host: Host, folder: Path) -> Path:
    records = folder / "records"
    records.mkdir(parents=True, exist_ok=True)
    for name in RECORDS:
        done = host.peek(["base64", name])
        if done.returncode:
            raise LabError(f"cannot copy {name}: {done.stderr}")
        (records / Path(name).name).write_bytes(base64.b64decode(done.stdout))
    timeline.say("check", f"the host's own records are kept in {os.path.relpath(records)}")
    return records


def _type(record: Record) -> str:
    return str(record["event"]["type"]) if record["kind"] == "event" else ""


def _user(record: Record) -> str:
    return str(record["event"]["data"].get("user"))
