"""The whole path on booted hosts: what a person does, what the agent sees, what OPA decides, what Ansible publishes."""

import json
import socket
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from e2e import person, record
from e2e.conftest import Fleet
from e2e.test_a_login_is_never_blocked import shell
from lab import Host
from lab_site import install

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

BANNER = "/etc/ssh/hostseal_banner"
FACT = "/etc/ansible/facts.d/hostseal.fact"


def fingerprint(host: Host, user: str) -> str:
    line = subprocess.run(
        ["ssh-keygen", "-lf", host.key(user)], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    return line.split()[1]


def source(host: Host) -> str:
    """Return the address from which the host sees this machine."""
    route = subprocess.run(
        ["ip", "-j", "route", "get", host.address], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    return str(json.loads(route)[0]["prefsrc"])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def touches_hosts(data: dict[str, Any]) -> bool:
    return any(path["path"] == "/etc/hosts" for path in data["paths"])


def published(host: Host) -> bool:
    return host.peek(["test", "-e", BANNER], check=False).returncode == 0


def test_a_persons_shell_is_suspect_before_its_first_command_and_then_flagged(sealed: Host) -> None:
    before = record.last_seq(sealed)
    first = "sudo cat /var/lib/hostseal/flag.json"
    with person.shell(sealed, "alice") as session:
        on_disk = person.run(session, first)
        assert '"state": "sealed"' not in on_disk
        opened = record.wait_for(sealed, before, "session.opened")
        channel = record.wait_for(sealed, before, "session.channel", lambda data: data["kind"] == "shell")
    assert opened["decision"]["actions"] == ["suspect"]
    assert opened["event"]["data"]["user"] == "alice"
    assert opened["event"]["data"]["source"] == source(sealed)
    assert opened["event"]["data"]["key"]["fingerprint"] == fingerprint(sealed, "alice")
    assert channel["decision"]["actions"] == ["flag"]
    assert channel["event"]["data"]["pty"].startswith("pts/")
    assert channel["event"]["data"]["session"]["key"]["fingerprint"] == fingerprint(sealed, "alice")
    incident = record.status(sealed)["standing"]["incident"]
    assert "alice" in incident["reasons"][0]
    assert fingerprint(sealed, "alice") in incident["reasons"][0]
    record.wait_until(lambda: published(sealed), what="the banner is published")
    fact = json.loads(sealed.peek(["cat", FACT]).stdout)
    assert (fact["flagged"], fact["incident"]) == (True, incident["id"])
    seen = sealed.ssh("deploy", "true").stderr
    assert incident["id"] in seen
    assert "alice" not in seen


def test_suspicion_is_on_disk_before_the_shell_starts(sealed: Host) -> None:
    """The command is the login's own, so it runs as early as anything of a person's can."""
    done = sealed.ssh("alice", "sudo cat /var/lib/hostseal/flag.json")
    document = json.loads(done.stdout)
    assert [s["user"] for s in document["suspicions"]] == ["alice"]


CLIENTS = [
    pytest.param("command", {"kind": "command", "subsystem": None}, id="ssh host true"),
    pytest.param("sftp", {"kind": "sftp", "subsystem": "sftp"}, id="sftp"),
    pytest.param("scp", {"kind": "sftp", "subsystem": "sftp"}, id="scp"),
    pytest.param("forward", {"kind": "forward", "subsystem": None}, id="-N"),
]


@pytest.mark.parametrize(("client", "expected"), CLIENTS)
def test_a_persons_other_connections_are_classified_recorded_and_lifted(
    sealed: Host, client: str, expected: dict[str, str | None]
) -> None:
    before = record.last_seq(sealed)
    ssh = sealed.ssh_args("alice")
    options, target = ssh[1:-1], ssh[-1]
    if client == "command":
        assert sealed.ssh("alice", "true").returncode == 0
    elif client == "sftp":
        subprocess.run(
            ["sftp", "-b", "-", *options, target], input=b"pwd\n", check=True, timeout=30, capture_output=True
        )
    elif client == "scp":
        command = ["scp", *options, f"{target}:/etc/hostname", "/dev/null"]
        subprocess.run(command, check=True, timeout=30, capture_output=True)
    else:
        forward = subprocess.Popen(
            [*ssh[:-1], "-N", "-L", f"127.0.0.1:{free_port()}:127.0.0.1:22", target],
            stderr=subprocess.DEVNULL,
        )
        try:
            record.wait_for(sealed, before, "session.channel")
        finally:
            forward.terminate()
            forward.wait(10)
    found = record.wait_for(sealed, before, "session.channel")
    data = found["event"]["data"]
    assert {name: data[name] for name in expected} == expected
    assert data["user"] == "alice"
    assert data["session"]["key"]["fingerprint"] == fingerprint(sealed, "alice")
    assert found["decision"]["actions"] == ["lift"]
    record.wait_until(lambda: record.standing(sealed) == "sealed", what="the suspicion is lifted")


def test_automation_is_recorded_and_never_suspect(sealed: Host) -> None:
    before = record.last_seq(sealed)
    done = sealed.ssh("deploy", "sudo cat /var/lib/hostseal/flag.json")
    assert json.loads(done.stdout)["state"] == "sealed"
    opened = record.wait_for(sealed, before, "session.opened")
    channel = record.wait_for(sealed, before, "session.channel")
    assert (opened["decision"]["actions"], channel["decision"]["actions"]) == ([], [])
    assert opened["event"]["data"]["user"] == "deploy"


def test_an_edit_in_a_persons_session_is_attributed_to_that_session(sealed: Host) -> None:
    before = record.last_seq(sealed)
    with person.shell(sealed, "alice") as session:
        person.run(session, "sudo -i")
        person.run(session, "echo '192.0.2.1 mended' >> /etc/hosts")
        found = record.wait_for(sealed, before, "files.changed", touches_hosts)
        session.sendline("exit")
        session.expect(person.PROMPT)
    data = found["event"]["data"]
    opened = record.wait_for(sealed, before, "session.opened")
    assert [path["path"] for path in data["paths"]] == ["/etc/hosts"]
    assert (data["writer"]["kind"], data["confidence"]) == ("session", "exact")
    assert data["writer"]["session"]["audit_session"] == opened["event"]["data"]["audit_session"]
    assert data["writer"]["session"]["key"]["fingerprint"] == fingerprint(sealed, "alice")
    assert found["decision"]["actions"] == ["flag"]


def test_the_same_edit_at_the_console_is_attributed_to_its_executable(sealed: Host) -> None:
    before = record.last_seq(sealed)
    with sealed.console() as console:
        console.ready()
        status, output = console.run("echo '192.0.2.2 console' >> /etc/hosts")
        assert status == 0, output
        found = record.wait_for(sealed, before, "files.changed", touches_hosts)
    data = found["event"]["data"]
    assert data["writer"]["kind"] == "executable"
    assert data["writer"]["exe"].endswith("/bash")
    assert data["writer"]["session"] is None
    assert found["decision"]["actions"] == ["flag"]
    assert "hosts" in found["decision"]["findings"][0]["message"]


def test_the_role_converged_a_second_time_by_automation_raises_no_flag(fleet: Fleet, sealed: Host) -> None:
    output = install(fleet.site, fleet.hosts)
    recap = [line for line in output.splitlines() if line.startswith(sealed.name) and "ok=" in line]
    assert "changed=0" in recap[-1], output[-3000:]
    assert record.standing(sealed) == "sealed"


def test_a_flag_survives_a_reboot_and_leaves_only_by_a_pardon(
    sealed: Host, pardon: Callable[[Host, str], None]
) -> None:
    with person.shell(sealed, "alice") as session:
        person.run(session, "true")
    record.wait_until(lambda: published(sealed), what="the banner is published")
    incident = record.status(sealed)["standing"]["incident"]["id"]
    sealed.reboot()
    assert record.status(sealed)["standing"]["incident"]["id"] == incident
    assert incident in sealed.ssh("deploy", "true").stderr
    pardon(sealed, "a drill")
    record.wait_until(lambda: not published(sealed), what="the banner is gone")
    found = record.status(sealed)["standing"]
    assert found["state"] == "sealed"
    assert (found["pardons"][-1]["person"], found["pardons"][-1]["reason"]) == ("carol", "a drill")
    fact = json.loads(sealed.peek(["cat", FACT]).stdout)
    assert fact["flagged"] is False


def test_own_playbooks_writes_are_recognised(sealed: Host) -> None:
    before = record.last_seq(sealed)
    with person.shell(sealed, "alice") as session:
        person.run(session, "true")
    record.wait_until(lambda: published(sealed), what="the banner is published")
    own = record.wait_for(sealed, before, "files.changed", lambda data: data["writer"]["kind"] == "action")
    assert all(path["expected"] for path in own["event"]["data"]["paths"]), own
    assert own["decision"]["actions"] == []


def test_in_mode_observe_the_same_things_are_recorded_and_nothing_is_flagged(fleet: Fleet) -> None:
    host = fleet.observing
    before = record.last_seq(host)
    with person.shell(host, "alice") as session:
        person.run(session, "sudo -i")
        person.run(session, "echo '192.0.2.3 observed' >> /etc/hosts")
        changed = record.wait_for(host, before, "files.changed", touches_hosts)
        session.sendline("exit")
        session.expect(person.PROMPT)
    opened = record.wait_for(host, before, "session.opened")
    channel = record.wait_for(host, before, "session.channel", lambda data: data["kind"] == "shell")
    assert [r["decision"]["would"] for r in (opened, channel, changed)] == [["suspect"], ["flag"], ["flag"]]
    assert [r["decision"]["actions"] for r in (opened, channel, changed)] == [[], [], []]
    assert record.standing(host) == "sealed"
    assert not published(host)


def test_doctor_finds_nothing_wrong_and_leaves_no_decision(fleet: Fleet) -> None:
    """The test below would find a decision without an event."""
    done = fleet.flagging.peek([record.HOSTSEAL, "doctor", "--json"])
    found = {finding["check"]: finding for finding in json.loads(done.stdout)}
    assert [name for name, finding in found.items() if not finding["ok"]] == [], done.stdout
    assert found["file sensor"]["says"].startswith("fanotify")
    assert "mode flag" in found["agent"]["says"]


def test_every_decision_of_the_record_is_in_opas_log_and_no_other_is_without_an_event(fleet: Fleet) -> None:
    for host in fleet.hosts:
        records = [r for r in record.events(host) if r["decision_id"]]
        recorded = {r["decision_id"]: r["event"]["id"] for r in records}

        def logged(host: Host = host) -> dict[str, str]:
            text = host.peek(["cat", "/var/log/hostseal/decisions.jsonl"]).stdout
            entries = [json.loads(line) for line in text.splitlines()]
            # The agent's watch asks once a bundle what revision and stage it is: about no event, and nothing is decided.
            entries = [entry for entry in entries if entry["path"] != "hostseal/release/told"]
            return {entry["decision_id"]: entry["input"]["event"]["id"] for entry in entries}

        record.wait_until(lambda: recorded.items() <= logged().items(), what="all decisions in OPA's log")  # noqa: B023
        spooled = {r["event"]["id"] for r in record.events(host)}
        assert set(logged().values()) <= spooled


def test_a_damaged_spool_is_set_aside_and_said_by_systemd_journal_and_event(sealed: Host) -> None:
    """Stands last: what the old spool held is not in the record that the test above reads."""
    spool, before = "/var/lib/hostseal/spool.db", record.last_seq(sealed)
    shell(
        sealed,
        f"systemctl stop hostseal; cp {spool} /run/spool.db; rm -f {spool}-wal {spool}-shm;"
        f" dd if=/dev/urandom of={spool} bs=4096 count=4 conv=notrunc status=none; systemctl start hostseal",
    )
    lost = record.wait_for(sealed, 0, "sensor.lost", lambda data: data["sensor"] == "spool")
    aside = lost["event"]["data"]["scope"]
    assert lost["event"]["seq"] > before, "a number is never used twice"
    assert shell(sealed, f"stat -c %s {aside}").strip() == shell(sealed, "stat -c %s /run/spool.db").strip()
    for said in ("systemctl show -p StatusText hostseal", "journalctl -u hostseal -g 'set aside'"):
        record.wait_until(lambda said=said: aside in shell(sealed, said), what=f"{aside} in {said}")  # type: ignore[misc]
    assert shell(sealed, "systemctl show -p NRestarts --value hostseal").strip() == "0"
