"""Attempts to get in unseen: each is caught, or an event says that something was not seen."""

import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from e2e import clients, person, record
from e2e.conftest import Fleet
from e2e.test_a_login_is_never_blocked import shell
from lab import Host

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

FORGED = "Starting session: shell on pts/9 for root from 10.9.9.9 port 1 id 0"


@pytest.fixture
def host(fleet: Fleet) -> Host:
    """The host in mode `observe`: nothing that is done to it has to be pardoned."""
    return fleet.observing


def missing(witness: str) -> Callable[[dict[str, Any]], bool]:
    return lambda data: witness in data["missing"]


def kinds(host: Host, before: int) -> list[str]:
    found = [r["event"] for r in record.events(host, before)]
    return [event["data"]["kind"] for event in found if event["type"] == "session.channel"]


@contextmanager
def changed_pam(host: Host) -> Iterator[None]:
    """Take the hook out of sshd's PAM stack."""
    shell(host, "sed -i.kept '/pam-hook/d' /etc/pam.d/sshd")
    try:
        yield
    finally:
        shell(host, "mv /etc/pam.d/sshd.kept /etc/pam.d/sshd")


def test_forged_lines_are_not_believed_and_a_flood_of_them_is_one_event(host: Host) -> None:
    before = record.last_seq(host)
    flood = f"for i in $(seq 200); do echo '{FORGED}'; echo 'User child is on pid 1'; done | logger -t sshd"
    assert host.ssh("bob", flood).returncode == 0
    found = record.wait_for(host, before, "witnesses.disagree", missing("sshd"))["event"]["data"]
    assert (found["user"], found["seen_by"], found["session"]) == ("bob", ["journal"], None)
    record.wait_for(host, before, "session.closed")
    assert kinds(host, before) == ["command"]
    disagreements = [r for r in record.events(host, before) if r["event"]["type"] == "witnesses.disagree"]
    assert len(disagreements) == 1


def test_lines_of_a_users_process_named_sshd_are_not_believed(host: Host) -> None:
    before = record.last_seq(host)
    script = f"cp /usr/bin/logger /tmp/sshd && /tmp/sshd -t sshd '{FORGED}'; rm /tmp/sshd"
    assert host.ssh("alice", script).returncode == 0
    found = record.wait_for(host, before, "witnesses.disagree", missing("sshd"))
    assert found["event"]["data"]["user"] == "alice"
    record.wait_for(host, before, "session.closed")
    assert kinds(host, before) == ["command"]


def test_a_user_named_like_a_line_is_only_a_user(host: Host) -> None:
    name = "User child is on pid 1"
    shell(
        host,
        f"mkdir -p -m 700 /home/odd/.ssh; cp /home/alice/.ssh/authorized_keys /home/odd/.ssh/; chown -R 2009 /home/odd;"
        f" cp /etc/passwd /run/passwd; echo '{name}:x:2009:2009::/home/odd:/bin/bash' >> /etc/passwd;"
        f" cp -p /etc/shadow /run/shadow; echo '{name}:*:19000:0:99999:7:::' >> /etc/shadow",
    )
    before = record.last_seq(host)
    try:
        *words, target = clients.ssh(host)
        clients.run([*words, "-l", name, target.partition("@")[2], "true"])
        found = record.wait_for(host, before, "session.channel")["event"]["data"]
    finally:
        shell(host, "cat /run/passwd > /etc/passwd; cat /run/shadow > /etc/shadow; rm -rf /home/odd")
    assert (found["user"], found["kind"], found["confidence"]) == (name, "command", "exact")


def test_what_ssh_rc_and_the_environment_run_is_in_the_session(host: Host) -> None:
    shell(
        host,
        "echo PermitUserEnvironment yes > /etc/ssh/sshd_config.d/50-test.conf;"
        " printf 'echo 192.0.2.9 rc > /etc/hs-rc; sleep 1\\n' > /home/alice/.ssh/rc; echo A=1 > /home/alice/.ssh/environment;"
        " chown alice: /home/alice/.ssh/rc /home/alice/.ssh/environment; touch /etc/hs-rc; chown alice /etc/hs-rc",
    )
    clients.reload_sshd(host)
    before = record.last_seq(host)
    try:
        assert host.ssh("alice", "echo $A").stdout == "1\n"
        changed = record.wait_for(
            host,
            before,
            "files.changed",
            lambda data: (data["paths"][0]["path"], data["writer"]["kind"]) == ("/etc/hs-rc", "session"),
        )
        opened = record.wait_for(host, before, "session.opened")
    finally:
        shell(
            host,
            "rm -f /home/alice/.ssh/rc /home/alice/.ssh/environment /etc/hs-rc /etc/ssh/sshd_config.d/50-test.conf",
        )
        clients.reload_sshd(host)
    session = changed["event"]["data"]["writer"]["session"]
    assert session["audit_session"] == opened["event"]["data"]["audit_session"]


def test_a_forced_command_is_classified_by_its_terminal(host: Host) -> None:
    path = "/home/alice/.ssh/authorized_keys"
    shell(host, f"cp -p {path} /run/keys; sed -i 's/^/command=\"bash\" /' {path}")
    before = record.last_seq(host)
    try:
        with person.shell(host, "alice") as session:
            person.run(session, "true")
        record.wait_for(host, before, "session.closed")
    finally:
        shell(host, f"cp -p /run/keys {path}")
    assert kinds(host, before)[0] == "command_with_pty"


def test_a_login_past_a_changed_pam_file_is_found_and_the_change_is_seen(host: Host) -> None:
    before = record.last_seq(host)
    with changed_pam(host), person.shell(host, "bob") as session:
        person.run(session, "true")
        found = record.wait_for(host, before, "witnesses.disagree", missing("pam"))["event"]["data"]
        channel = record.wait_for(host, before, "session.channel", lambda data: data["kind"] == "shell")
    changed = record.wait_for(
        host, before, "files.changed", lambda data: any(p["path"] == "/etc/pam.d/sshd" for p in data["paths"])
    )
    assert (found["user"], found["missing"]) == ("bob", ["pam"])
    assert channel["decision"]["would"] == ["flag"]
    assert changed["decision"]["would"] == ["flag"]


def test_a_session_that_stops_the_agent_is_found_when_it_is_back_and_the_gap_is_told(host: Host) -> None:
    before = record.last_seq(host)
    with person.shell(host, "alice") as session:
        person.run(session, "sudo systemctl stop hostseal.socket hostseal.service")
        shell(host, "mv /etc/pam.d/sshd /run/pam; sed '/pam-hook/d' /run/pam > /etc/pam.d/sshd")
        with person.shell(host, "bob") as other:
            person.run(other, "true")
            shell(host, "cat /run/pam > /etc/pam.d/sshd; systemctl start hostseal.socket hostseal.service")
            lost = record.wait_for(host, before, "sensor.lost", lambda data: data["sensor"] == "agent")
            opened = record.wait_for(host, before, "session.opened", lambda data: data["user"] == "bob")
            channel = record.wait_for(host, before, "session.channel", lambda data: data["user"] == "bob")
            shell(host, "systemctl restart hostseal.service")
            record.wait_until(lambda: record.status(host)["agent"] is not None, what="the agent is back")
            assert person.run(other, "id -un").count("bob") >= 1
    assert lost["event"]["data"]["cause"] == "the agent was not running"
    assert opened["event"]["data"]["seen_by"] == "logind"
    assert opened["decision"]["would"] == ["suspect"]
    assert (channel["event"]["data"]["kind"], channel["event"]["data"]["confidence"]) == ("shell", "inferred")
    assert channel["decision"]["would"] == ["flag"]
    of_bob = [
        r["event"]
        for r in record.events(host, before)
        if r["event"]["type"] == "session.opened" and r["event"]["data"]["user"] == "bob"
    ]
    assert len(of_bob) == 1, "a restart finds nothing a second time"


def test_no_session_is_told_twice_because_the_agent_begins_anew(host: Host) -> None:
    """Neither one that stays open, nor those that end while it begins."""
    before = record.last_seq(host)
    with person.shell(host, "alice") as session:
        person.run(session, "true")
        record.wait_for(host, before, "session.channel")
        for _ in range(5):
            started = record.last_seq(host)
            assert host.ssh("deploy", "sudo systemctl restart hostseal.service").returncode == 0
            record.wait_for(host, started, "agent.started")
    record.wait_for(host, before, "session.closed", lambda data: data["user"] == "alice")
    # What would be missed of those sessions is told before it is missed of this one.
    with changed_pam(host):
        assert host.ssh("bob", "true").returncode == 0
        record.wait_for(host, before, "witnesses.disagree", lambda data: data["user"] == "bob")
    told = [r["event"] for r in record.events(host, before)]
    of_others = [event["data"] for event in told if event["data"].get("user") in {"alice", "deploy"}]
    assert [data for data in of_others if "missing" in data] == []
    assert sorted((data["user"], data["kind"]) for data in of_others if "kind" in data) == [
        ("alice", "shell"),
        *[("deploy", "command")] * 5,
    ]


def test_a_hook_that_is_killed_is_a_disagreement(host: Host) -> None:
    hook = "/opt/hostseal/libexec/pam-hook"
    before = record.last_seq(host)
    shell(host, f"mv {hook} /run/hook; printf '#!/bin/sh\\nkill -9 $$\\n' > {hook}; chmod 755 {hook}")
    try:
        assert host.ssh("bob", "true").returncode == 0
        found = record.wait_for(host, before, "witnesses.disagree", missing("pam"))
    finally:
        shell(host, f"mv /run/hook {hook}")
    assert found["event"]["data"]["user"] == "bob"


def test_two_hundred_logins_at_once_are_two_hundred_sessions(host: Host) -> None:
    before = record.last_seq(host)
    with many_at_once_let_in(host), ThreadPoolExecutor(40) as pool:
        assert list(pool.map(lambda _: log_in(host), range(200))) == [0] * 200
    every_login_is_told(host, before, 200)


def test_logins_while_the_agent_hangs_are_each_told_and_none_waits_for_it(host: Host) -> None:
    before = record.last_seq(host)
    pid = shell(host, "systemctl show -P MainPID hostseal").strip()
    with many_at_once_let_in(host), ThreadPoolExecutor(40) as pool:
        done = pool.map(lambda _: log_in(host), range(80))
        record.wait_until(lambda: record.last_seq(host) > before + 20, what="the first of the logins")
        given_up = "for i in $(seq 200); do ls /var/lib/hostseal/fallback/login-* 2>/dev/null && break; sleep 0.1; done"
        shell(host, f"kill -STOP {pid}; {given_up}; kill -CONT {pid}")
        assert list(done) == [0] * 80
    every_login_is_told(host, before, 80)
    events = [r["event"] for r in record.events(host, before)]
    lost = [e["data"] for e in events if e["type"] == "sensor.lost" and e["data"]["sensor"] == "pam"]
    assert lost
    assert all(
        "no answer from the agent in time" in data["cause"] or "timed out" in data["cause"] for data in lost
    )


@contextmanager
def many_at_once_let_in(host: Host) -> Iterator[None]:
    """Let sshd take more logins at once than it does by default."""
    drop_in = "/etc/ssh/sshd_config.d/50-storm.conf"
    shell(host, f"echo 'MaxStartups 300:30:400' > {drop_in}")
    clients.reload_sshd(host)
    try:
        yield
    finally:
        shell(host, f"rm {drop_in}")
        clients.reload_sshd(host)


def log_in(host: Host) -> int:
    return host.ssh("alice", "true", timeout=120).returncode


def every_login_is_told(host: Host, before: int, count: int) -> None:
    """Wait until so many sessions of alice have their channel, and each its opening: by the hook, or told as late.

    A login that the agent has recorded and not answered in time is told both ways.
    """

    def told() -> bool:
        found = [r["event"] for r in record.events(host, before)]
        late = {
            e["data"]["detail"]["audit_session"]
            for e in found
            if e["type"] == "sensor.lost" and "login of alice, open_session" in e["data"]["scope"]
        }
        of_alice = [e for e in found if e["data"].get("user") == "alice"]
        opened = {e["data"]["audit_session"] for e in of_alice if e["type"] == "session.opened"}
        channels = {e["data"]["session"]["audit_session"] for e in of_alice if e["type"] == "session.channel"}
        return opened | late == channels and len(channels) == count

    record.wait_until(told, seconds=120, what=f"{count} sessions, each with its opening and its channel")


def test_a_shell_behind_suppressed_lines_is_found_or_their_loss_is_told(host: Host) -> None:
    """A session's own processes share the journal's limit with the sshd process that names its channels."""
    before = record.last_seq(host)
    flood = "for i in $(seq 40); do seq 1000 | logger; done; sleep 31; logger over"
    assert host.ssh("bob", flood, timeout=120).returncode == 0
    lost = record.wait_for(host, before, "sensor.lost", lambda data: data["sensor"] == "journal")
    assert lost["event"]["data"]["cause"] == "journald suppressed messages"


def test_a_users_own_sshd_is_reported_and_its_lines_are_not_believed(host: Host) -> None:
    before = record.last_seq(host)
    start = (
        "ssh-keygen -q -t ed25519 -N '' -f ~/hk; cp ~/.ssh/authorized_keys ~/ak;"
        " /usr/sbin/sshd -f /dev/null -h ~/hk -p 2222 -o UsePAM=no -o LogLevel=VERBOSE -o PidFile=$HOME/own.pid"
        " -o AuthorizedKeysFile=$HOME/ak -o StrictModes=no"
    )
    assert host.ssh("alice", start).returncode == 0
    try:
        own = [
            *clients.ssh(
                host, "-p", "2222", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"
            )
        ]
        subprocess.run([*own, "true"], capture_output=True, timeout=30, check=False)
        found = record.wait_for(host, before, "witnesses.disagree", missing("sshd"))
    finally:
        shell(host, "kill $(cat /home/alice/own.pid); rm -f /home/alice/hk* /home/alice/ak")
    assert found["event"]["data"]["user"] == "alice"
    assert all(
        r["event"]["data"]["user"] == "alice"
        for r in record.events(host, before)
        if "user" in r["event"]["data"]
    )


def test_a_second_sshd_of_roots_without_the_hook_is_a_disagreement(host: Host) -> None:
    before = record.last_seq(host)
    # Without PAM sshd itself keeps a locked account out.
    shell(host, "usermod -p '*' alice; /usr/sbin/sshd -p 2222 -o UsePAM=no -o PidFile=/run/second.pid")
    try:
        words = clients.ssh(host, "-p", "2222", "-o", f"HostKeyAlias={host.address}")
        clients.run([*words, "true"])
        found = record.wait_for(host, before, "witnesses.disagree", missing("pam"))["event"]["data"]
    finally:
        shell(host, "kill $(cat /run/second.pid)")
    assert (found["user"], found["seen_by"]) == ("alice", ["journal"])
