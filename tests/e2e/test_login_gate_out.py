"""The login gate on a booted host when it cannot ask or is broken, and every way out of a lock-out."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from e2e import record
from e2e.guarded import HOSTSEAL, HOW, Guarded
from e2e.test_how_to import commands
from lab.ssh import write_config
from lab_site import install

pytest_plugins = ["e2e.gate_fixture"]
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

REFUSAL = "Refused: alice logs in without break-glass, and gate-one is immutable."
UNASKED = "Refused: Hostseal's policy cannot be asked on this host now."
CONFIRM = f"sudo {record.HOSTSEAL} gate confirm"
STOP_AGENT = "systemctl stop hostseal.socket hostseal.service"
START_AGENT = "systemctl start hostseal.socket hostseal.service"


def agent_is_back(guarded: Guarded) -> None:
    record.wait_until(lambda: record.status(guarded.host)["agent"] is not None, what="the agent is back")


FAULTS = [
    pytest.param("systemctl stop opa", "systemctl start opa", id="OPA down"),
    pytest.param(STOP_AGENT, START_AGENT, id="agent down"),
    pytest.param(
        "kill -STOP $(systemctl show -p MainPID --value hostseal)",
        "kill -CONT $(systemctl show -p MainPID --value hostseal)",
        id="time-out",
    ),
    pytest.param(
        "mount -t tmpfs -o size=128k,mode=0700 tmpfs /var/lib/hostseal/fallback;"
        " dd if=/dev/zero of=/var/lib/hostseal/fallback/x bs=4k status=none || true; " + STOP_AGENT,
        "umount /var/lib/hostseal/fallback; " + START_AGENT,
        id="agent down and the disk full",
    ),
]
CLASSES = ("person", "automation", "break_glass")
CHOICES = ("deny", "allow", "allow_and_flag")


@pytest.mark.parametrize(("breaking", "mending"), FAULTS)
@pytest.mark.parametrize("turn", range(3))
def test_without_an_answer_each_class_is_treated_as_its_setting_says(
    guarded: Guarded, breaking: str, mending: str, turn: int
) -> None:
    chosen = {kind: CHOICES[(index + turn) % 3] for index, kind in enumerate(CLASSES)}
    guarded.arm()
    guarded.settings(limit_seconds=0.5, **{f"on_failure_{kind}": choice for kind, choice in chosen.items()})
    logins = {
        "person": ("alice", None),
        "automation": ("deploy", None),
        "break_glass": ("alice", guarded.certificate()),
    }
    before, recorded = record.last_seq(guarded.host), "disk" not in breaking and "dd if" not in breaking
    with guarded.broken(breaking, mending):
        for kind, (user, key) in logins.items():
            done = guarded.ssh(user, "echo in", key=key)
            if chosen[kind] == "deny":
                assert (done.returncode, done.stdout) == (255, ""), kind
                assert UNASKED in done.stderr
            else:
                assert (done.returncode, done.stdout) == (0, "in\n"), (kind, done.stderr)
    agent_is_back(guarded)
    if recorded:
        for kind in CLASSES:
            found_afterwards(guarded, before, kind, chosen[kind])


def found_afterwards(guarded: Guarded, before: int, kind: str, choice: str) -> None:
    """Look for what the record must say of a login that met no answer."""
    glass = kind == "break_glass"
    user = "deploy" if kind == "automation" else "alice"

    def it(data: dict[str, Any]) -> bool:
        return data["user"] == user and (data["certificate"] is not None) is glass

    if choice == "deny":
        # An agent that was held up answers too, when nobody waits for it any more.
        record.wait_for(
            guarded.host, before, "login.refused", lambda data: it(data) and data["by"] == "on_failure"
        )
    elif choice == "allow_and_flag":
        unasked = record.wait_for(guarded.host, before, "login.unasked", it)
        assert (unasked["event"]["data"]["class"], unasked["event"]["data"]["flag"]) == (kind, True)
        assert unasked["decision"]["actions"] == ["flag"]


REPAIRS = [
    pytest.param(
        f"{STOP_AGENT}; systemctl mask --runtime hostseal.socket hostseal.service",
        f"systemctl unmask --runtime hostseal.socket hostseal.service; {START_AGENT}",
        id="agent masked",
    ),
    pytest.param(
        "mv /opt/hostseal/libexec/pam-hook /run/pam-hook",
        "mv /run/pam-hook /opt/hostseal/libexec/pam-hook",
        id="hook missing",
    ),
    pytest.param(
        "echo 'syntax error here' > /run/hook; mount --bind /run/hook /opt/hostseal/libexec/pam-hook",
        "umount /opt/hostseal/libexec/pam-hook",
        id="hook damaged",
    ),
    pytest.param(
        "echo no > /run/python; chmod 755 /run/python; mount --bind /run/python $(readlink -f /usr/bin/python3)",
        "umount $(readlink -f /usr/bin/python3)",
        id="Python broken",
    ),
    pytest.param("mount -t tmpfs tmpfs /opt/hostseal", "umount /opt/hostseal", id="package gone"),
]


@pytest.mark.parametrize(("breaking", "mending"), REPAIRS)
def test_an_armed_gate_that_is_broken_keeps_nobody_out(guarded: Guarded, breaking: str, mending: str) -> None:
    guarded.arm()
    guarded.settings()
    with guarded.broken(breaking, mending):
        assert guarded.ssh("alice", "echo in").stdout == "in\n"
        assert guarded.ssh("deploy", "echo in").stdout == "in\n"
    agent_is_back(guarded)
    record.wait_until(lambda: guarded.ssh("alice", "true").returncode == 255, what="the gate is mended")


def test_the_console_is_a_way_out_too(guarded: Guarded) -> None:
    guarded.arm()
    with guarded.host.console() as console:
        console.ready()
        status, output = console.run(f"{record.HOSTSEAL} gate disarm --person carol --reason 'a lock-out'")
        assert status == 0, output
    assert guarded.ssh("alice", "echo in").stdout == "in\n"


def test_the_how_to_page_is_followed_word_for_word(guarded: Guarded, tmp_path: Path) -> None:
    guarded.disarm()
    host = guarded.host
    names = {
        "INSTANCE": host.machine_id,
        "keys/break-glass": str(guarded.folder / "authority"),
        "site.json": str(guarded.folder / "site.json"),
        "keys/pardon.key": str(guarded.site.keys / "pardon.key"),
        "web-1": host.name,
    }
    drill, by_drill, confirm, plain, lock, look, release, apply_release, disarm, unhook = commands(
        "ssh-lockdown.md", names
    )

    def run(command: str) -> "subprocess.CompletedProcess[str]":
        """Run one of the page's commands where the operator is; ssh finds the lab's host and keys by a configuration."""
        command = (
            command.replace("hostseal ", f"{HOSTSEAL} ", 1) if command.startswith("hostseal ") else command
        )
        command = (
            command.replace("ssh ", f"ssh -F {ssh_config(guarded, tmp_path)} ", 1)
            if command.startswith("ssh ")
            else command
        )
        return subprocess.run(
            ["bash", "-ec", command], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )

    def at_the_console(command: str, **files: str) -> str:
        script = f"cd /root; export PATH=/opt/hostseal/bin:$PATH; {command}"
        return host.peek(["bash", "-ec", script], input=files.get("given")).stdout

    assert run(drill).returncode == 0
    assert run(by_drill).stdout == "hostseal: break-glass works on this host\n"
    record.wait_until(lambda: guarded.state() == "trial", what="the gate is on trial")
    assert "armed" in run(confirm).stdout
    assert HOW in run(plain).stderr
    at_the_console(lock)
    record.wait_until(
        lambda: record.status(host)["agent"]["lockdown"]["in_force"], what="the lockdown is in force"
    )
    assert "automation_only" in at_the_console(f"{look} || true")
    incident = json.loads(host.peek(["cat", "/var/lib/hostseal/lockdown.json"]).stdout)["incident"]
    assert run(release.replace("INCIDENT", incident)).returncode == 0
    at_the_console(
        f"cat > release.json; {apply_release}; rm release.json", given=(tmp_path / "release.json").read_text()
    )
    record.wait_until(
        lambda: "lockdown" not in host.peek(["ls", "/etc/ssh/sshd_config.d"]).stdout, what="SSH is open again"
    )
    at_the_console(disarm)
    record.wait_until(
        lambda: guarded.ssh("alice", "echo in").stdout == "in\n", what="sshd has read that it is open"
    )
    guarded.arm()
    at_the_console(f"cp /etc/pam.d/sshd /run/sshd-stack; {unhook}")
    assert guarded.ssh("alice", "echo in").stdout == "in\n"
    at_the_console("cp /run/sshd-stack /etc/pam.d/sshd")


def ssh_config(guarded: Guarded, folder: Path) -> Path:
    """Write the configuration by which ssh reaches the host under its name with each user's own key."""
    path, host = folder / "ssh_config", guarded.host
    write_config(
        path,
        addresses={host.name: host.address},
        identities=host.key("alice").parent,
        known_hosts=host.known_hosts,
    )
    return path


def test_the_roles_removal_restores_sshds_stacks(guarded: Guarded) -> None:
    """Stands last: the host has no agent after it."""
    guarded.arm()
    removed = replace(guarded.site, variables={**guarded.site.variables, "hostseal_agent_state": "absent"})
    install(removed, [guarded.host])
    assert "hostseal" not in guarded.host.peek(["cat", "/etc/pam.d/sshd"]).stdout
    assert guarded.ssh("alice", "echo in").stdout == "in\n"
