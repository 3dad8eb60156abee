"""Responses on a booted host: sessions that end and stay ended, SSH that is locked down and opened by a release alone."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from e2e import record
from e2e.enforced import AUTHORITY, DROP_IN, Enforced
from lab import Host, LabError
from lab_site import Site, install

pytest_plugins = ["e2e.responses_fixture"]
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
BREAK_GLASS = "/etc/ssh/sshd_config.d/20-hostseal-break-glass.conf"
BECAUSE = ("--person", "carol", "--reason", "somebody is in")
STUBBORN = "nohup setsid sh -c 'trap \"\" TERM HUP; while :; do sleep 1; done' >/dev/null 2>&1 & echo $!"


def opened(host: Host, after: int, user: str) -> int:
    """Return the audit session id of the session that `user` has opened."""
    found = record.wait_for(host, after, "session.opened", lambda data: data["user"] == user)
    return int(found["event"]["data"]["audit_session"])


def gone(host: Host, audit: int) -> bool:
    """Tell whether no process has the audit session id, and logind knows no such session."""
    look = (
        f"grep -lx {audit} /proc/[0-9]*/sessionid;"
        f" for s in $(loginctl list-sessions --no-legend | awk '{{print $1}}');"
        f" do loginctl show-session $s -p Audit --value; done | grep -x {audit}"
    )
    return host.peek(look, check=False).stdout == ""


def done(host: Host, action: str) -> bool:
    """Tell whether the last run of an action has succeeded and none is left to do."""
    runs = [run for run in record.status(host)["actions"] if run["action"] == action]
    return bool(runs) and all(run["state"] == "done" for run in runs)


def play(site: Site, tasks: list[dict[str, Any]], host: Host) -> subprocess.CompletedProcess[str]:
    """Run tasks on the host over ssh, as automation does."""
    playbook = site.folder / "responses.yml"
    playbook.write_text(
        json.dumps([{"hosts": host.name, "gather_facts": True, "become": True, "tasks": tasks}])
    )
    program = Path(sys.executable).with_name("ansible-playbook")
    return subprocess.run(
        [program, "-i", site.folder / "inventory.json", playbook],
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
            "ANSIBLE_HOME": str(site.folder / "ansible"),
            "ANSIBLE_SSH_PIPELINING": "True",
            "ANSIBLE_NOCOLOR": "1",
        },
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@contextmanager
def connection(
    host: Host, user: str, *options: str, identity: Path | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """Yield a connection that stays: it gives back each line that it is given."""
    words = host.ssh_args(user)
    if identity is not None:
        words[words.index(str(host.key(user)))] = str(identity)
    command = [*words[:-1], *options, words[-1], *([] if "-N" in options else ["cat"])]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as client:
        try:
            yield client
        finally:
            client.terminate()


def answers(client: "subprocess.Popen[str]") -> bool:
    assert client.stdin is not None
    assert client.stdout is not None
    client.stdin.write("still here\n")
    client.stdin.flush()
    return client.stdout.readline() == "still here\n"


@pytest.fixture
def host(enforced: Enforced) -> Iterator[Host]:
    """The host, open before and after."""
    enforced.open_again()
    yield enforced.host
    enforced.open_again()


def test_a_persons_shell_is_ended_by_the_policy(host: Host) -> None:
    before = record.last_seq(host)
    shell = subprocess.run(
        host.ssh_args("alice", pty=True), stdin=subprocess.PIPE, capture_output=True, timeout=60, check=False
    )
    assert shell.returncode == 255
    audit = opened(host, before, "alice")
    channel = record.wait_for(host, before, "session.channel", lambda data: data["kind"] == "shell")
    assert channel["decision"]["actions"][-1] == "terminate_session"
    record.wait_until(lambda: done(host, "terminate_session"), what="the playbook has run")
    assert gone(host, audit)


def test_a_connection_without_a_channel_is_ended_on_an_operators_word(enforced: Enforced, host: Host) -> None:
    before = record.last_seq(host)
    with connection(host, "alice", "-N") as client:
        audit = opened(host, before, "alice")
        asked = enforced.ask("session", "terminate", str(audit), *BECAUSE)
        assert json.loads(asked.stdout)["actions"] == ["terminate_session"]
        assert client.wait(60) == 255
    record.wait_until(lambda: done(host, "terminate_session"), what="the playbook has run")
    assert gone(host, audit)


def test_what_a_session_left_behind_goes_with_it_even_if_it_will_not(enforced: Enforced, host: Host) -> None:
    before = record.last_seq(host)
    pid = host.ssh("alice", STUBBORN).stdout.strip()
    audit = opened(host, before, "alice")
    record.wait_for(host, before, "session.closed", lambda data: data["audit_session"] == audit)
    assert host.peek(["cat", f"/proc/{pid}/sessionid"]).stdout == str(audit)
    with connection(host, "alice") as other:
        assert answers(other)
        assert enforced.ask("session", "terminate", str(audit), *BECAUSE).returncode == 0
        record.wait_until(lambda: gone(host, audit), what="what was left behind is gone")
        record.wait_until(lambda: done(host, "terminate_session"), what="the playbook has run")
        assert answers(other), "another session of the same user is none of its business"


def test_a_session_nobody_knows_is_no_wish(enforced: Enforced, host: Host) -> None:
    before = record.last_seq(host)
    asked = enforced.ask("session", "terminate", "4000000", *BECAUSE)
    assert (asked.returncode, "no SSH session 4000000 is known" in asked.stderr) == (2, True)
    assert [r for r in record.events(host, before) if r["event"]["type"] == "operator.asked"] == []


def test_a_play_does_not_cut_the_connection_it_runs_over(enforced: Enforced, host: Host) -> None:
    boot = host.peek(["cat", "/proc/sys/kernel/random/boot_id"]).stdout.strip()
    tasks = [
        {"ansible.builtin.command": "cat /proc/self/sessionid", "register": "own"},
        {
            "hostseal.core.terminate_session": {
                "audit_session": "{{ own.stdout }}",
                "boot_id": boot,
            }
        },
    ]
    ran = play(enforced.site, tasks, host)
    assert "is the one this play runs over: it is not cut" in ran.stdout
    assert "unreachable=0" in ran.stdout
    tasks[1]["hostseal.core.terminate_session"] = {"audit_session": "{{ own.stdout }}", "boot_id": "0" * 32}
    assert play(enforced.site, tasks, host).returncode == 0


def test_levels_rise_keep_connections_and_let_certificates_in(enforced: Enforced, host: Host) -> None:
    with connection(host, "alice") as persons, connection(host, "deploy") as automations:
        assert answers(persons)
        assert answers(automations)
        asked = json.loads(enforced.ask("lockdown", "request", "automation_only", *BECAUSE).stdout)
        assert (asked["actions"], asked["level"]) == (["lockdown_automation_only"], "automation_only")
        enforced.wait_for_level("automation_only")
        assert enforced.refused("alice")
        assert enforced.refused("root")
        assert not enforced.refused("deploy")
        assert enforced.admits("alice")
        enforced.ask("lockdown", "request", "closed", *BECAUSE)
        enforced.wait_for_level("closed")
        assert enforced.refused("alice")
        assert enforced.refused("deploy")
        assert enforced.admits("alice")
        assert enforced.admits("deploy")
        lower = json.loads(enforced.ask("lockdown", "request", "automation_only", *BECAUSE).stdout)
        assert lower["level"] == "closed"
        assert answers(persons)
        assert answers(automations)


def test_the_module_asks_once_and_tells_the_truth_beforehand(enforced: Enforced, host: Host) -> None:
    wish = {"level": "automation_only", "person": "carol", "reason": "$(touch /root/pwned) --json"}
    tasks: list[dict[str, Any]] = [
        {"hostseal.core.lockdown": {}, "register": "before"},
        {"hostseal.core.lockdown": wish, "check_mode": True, "register": "would"},
        {"hostseal.core.lockdown": wish, "register": "asked"},
        {"hostseal.core.lockdown": wish, "register": "again"},
        {
            "ansible.builtin.assert": {
                "that": [
                    "before.level == 'open' and not before.changed",
                    "would.changed and would.level == 'open'",
                    "asked.changed and asked.level == 'automation_only'",
                    "asked.actions == ['lockdown_automation_only'] and asked.would == []",
                    "not again.changed and again.level == 'automation_only'",
                ]
            }
        },
    ]
    ran = play(enforced.site, tasks, host)
    assert ran.returncode == 0, ran.stdout
    enforced.wait_for_level("automation_only")
    assert host.peek(["test", "-e", "/root/pwned"], check=False).returncode == 1


def test_nothing_but_a_fitting_release_opens(enforced: Enforced, host: Host, tmp_path: Path) -> None:
    enforced.ask("lockdown", "request", "automation_only", *BECAUSE)
    enforced.wait_for_level("automation_only")
    other = tmp_path / "other.key"
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "ED25519", "-out", other],
        check=True,
        timeout=30,
        capture_output=True,
    )
    good = enforced.release()
    changed = json.loads(good)
    changed["claim"]["reason"] = "no reason"
    wrong = {
        "the release is for host 'web-9'": enforced.release(host="web-9"),
        "the release is for incident i, the lockdown is about": enforced.release(incident="i"),
        "the signature is not by this host's pardon key": enforced.release(key=other),
        "the signature is not by": json.dumps(changed),
        "this is not a release": "{}",
    }
    before = record.last_seq(host)
    for why, signed in wrong.items():
        refused = enforced.apply(signed)
        assert (refused.returncode, why in refused.stderr) == (2, True), refused.stderr
    assert record.status(host)["lockdown"]["level"] == "automation_only"
    assert enforced.refused("alice")
    assert [r for r in record.events(host, before) if r["event"]["type"] == "lockdown.released"] == []
    assert enforced.apply(good).returncode == 0
    found = record.wait_for(host, before, "lockdown.released")
    assert found["decision"]["findings"][0]["message"].startswith("carol released the lockdown")
    enforced.wait_for_level("open")
    assert not enforced.refused("alice")
    enforced.ask("lockdown", "request", "automation_only", *BECAUSE)
    enforced.wait_for_level("automation_only")
    again = enforced.apply(good)
    assert (again.returncode, "this release was used before" in again.stderr) == (2, True)
    assert enforced.refused("alice")


def test_a_lockdown_outlives_a_reboot_and_what_is_done_to_it_by_hand(enforced: Enforced, host: Host) -> None:
    enforced.ask("lockdown", "request", "automation_only", *BECAUSE)
    enforced.wait_for_level("automation_only")
    shut = host.peek(["cat", DROP_IN]).stdout
    host.reboot()
    assert enforced.refused("alice")
    enforced.wait_for_level("automation_only")
    before = record.last_seq(host)
    host.peek(["rm", DROP_IN])
    enforced.wait_for_level("automation_only")
    assert host.peek(["cat", DROP_IN]).stdout == shut
    assert enforced.refused("alice")
    record.wait_for(host, before, "files.changed", lambda data: data["paths"][0]["path"] == DROP_IN)
    host.peek(f"echo '# nothing' > {DROP_IN}")
    record.wait_until(
        lambda: host.peek(["cat", DROP_IN]).stdout == shut, seconds=120, what="the drop-in is repaired"
    )


@contextmanager
def hindered(host: Host, do: str, undo: str) -> Iterator[None]:
    host.peek(do)
    try:
        yield
    finally:
        host.peek(undo)


HINDRANCES = [
    pytest.param(
        "echo 'Bogus yes' > /etc/ssh/sshd_config.d/90-bad.conf",
        "rm -f /etc/ssh/sshd_config.d/90-bad.conf",
        "Bogus",
        id="sshd does not take its settings",
    ),
    pytest.param(
        "printf 'Match User root\\n    AuthorizedKeysFile .ssh/own\\n' > /etc/ssh/sshd_config.d/00-own.conf",
        "rm -f /etc/ssh/sshd_config.d/00-own.conf",
        "For root, sshd does not say authorizedkeysfile none",
        id="something comes before",
    ),
    pytest.param(
        f"mv {AUTHORITY} {AUTHORITY}.away",
        f"mv {AUTHORITY}.away {AUTHORITY}",
        "This host trusts no break-glass authority",
        id="nobody would have a way in",
    ),
    pytest.param(
        f"mv {BREAK_GLASS} {BREAK_GLASS}.away",
        f"mv {BREAK_GLASS}.away {BREAK_GLASS}",
        "sshd does not say authorizedprincipalscommand",
        id="no certificate would let anybody in",
    ),
]


@pytest.mark.parametrize(("do", "undo", "why"), HINDRANCES)
def test_a_lockdown_that_cannot_be_right_leaves_things_as_they_were_and_is_tried_again(
    enforced: Enforced, host: Host, do: str, undo: str, why: str
) -> None:
    with hindered(host, do, undo):
        enforced.ask("lockdown", "request", "automation_only", *BECAUSE)

        def failed() -> bool:
            runs = record.status(host)["actions"]
            tried = [run for run in runs if run["action"] == "lockdown_automation_only"]
            return bool(tried) and tried[-1]["error"] is not None

        record.wait_until(failed, what="the playbook has failed")
        output = host.peek("cat /var/lib/hostseal/actions/*/result.json").stdout
        assert why in output
        assert host.peek(["test", "-e", DROP_IN], check=False).returncode == 1
        assert record.status(host)["agent"]["lockdown"] == {"level": "automation_only", "in_force": False}
        assert "NOT IN FORCE" in host.peek([record.HOSTSEAL, "status"], check=False).stdout
        assert not enforced.refused("alice")
    enforced.wait_for_level("automation_only")
    assert enforced.refused("alice")


def test_break_glass_is_not_taken_away_while_it_is_the_way_in(enforced: Enforced, host: Host) -> None:
    enforced.ask("lockdown", "request", "automation_only", *BECAUSE)
    enforced.wait_for_level("automation_only")
    with pytest.raises(LabError, match=r"break-glass is the way in that is left"):
        install(replace(enforced.site, variables={}), [host])
    assert enforced.admits("alice")


def test_open_sessions_of_persons_end_where_the_site_says_so_but_by_break_glass(
    enforced: Enforced, host: Host
) -> None:
    data = {**enforced.site.data, "lockdown": {"existing_sessions": "terminate"}}
    install(replace(enforced.site, data=data), [host])
    key = enforced.gate.certificate()
    with (
        connection(host, "alice") as persons,
        connection(host, "deploy") as automations,
        connection(host, "alice", identity=key) as emergency,
    ):
        assert answers(persons)
        assert answers(automations)
        assert answers(emergency)
        enforced.ask("lockdown", "request", "automation_only", *BECAUSE)
        assert persons.wait(60) == 255
        enforced.wait_for_level("automation_only")
        assert answers(automations)
        assert answers(emergency)


def removal(site: Site, host: Host, *, purge: bool) -> None:
    role = {
        "name": "hostseal.core.agent",
        "vars": {"hostseal_agent_state": "absent", "hostseal_agent_purge": purge},
    }
    task = {"ansible.builtin.include_role": {"name": role["name"]}, "vars": role["vars"]}
    ran = play(site, [task], host)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_lockdown_outlives_the_agents_removal_and_ends_with_a_purge_on_record(enforced: Enforced) -> None:
    host = enforced.host
    enforced.open_again()
    enforced.ask("lockdown", "request", "automation_only", *BECAUSE)
    enforced.wait_for_level("automation_only")
    removal(enforced.site, host, purge=False)
    assert host.peek(["test", "-e", record.HOSTSEAL], check=False).returncode == 1
    assert enforced.refused("alice")
    assert not enforced.refused("alice", identity=enforced.drill("alice"))
    install(enforced.site, [host])
    enforced.wait_for_level("automation_only")
    removal(enforced.site, host, purge=True)
    assert not enforced.refused("alice")
    assert host.peek(["test", "-e", "/var/lib/hostseal"], check=False).returncode == 1
    logged = host.peek("journalctl -u opa --no-pager -o cat | grep lockdown.released | tail -1").stdout
    assert json.loads(logged)["input"]["event"]["data"]["how"] == "purge"
