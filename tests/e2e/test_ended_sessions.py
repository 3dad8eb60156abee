"""Sessions that are ended on a booted host, and stay ended."""

import json
import subprocess

import pytest

from e2e import record
from e2e.enforced import Enforced
from e2e.responding import BECAUSE, answers, connection, done, gone, opened, play
from lab import Host

pytest_plugins = ["e2e.responses_fixture"]
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

STUBBORN = "nohup setsid sh -c 'trap \"\" TERM HUP; while :; do sleep 1; done' >/dev/null 2>&1 & echo $!"


def test_a_persons_shell_is_ended_by_the_policy(open_host: Host) -> None:
    before = record.last_seq(open_host)
    shell = subprocess.run(
        open_host.ssh_args("alice", pty=True),
        stdin=subprocess.PIPE,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert shell.returncode == 255
    audit = opened(open_host, before, "alice")
    channel = record.wait_for(open_host, before, "session.channel", lambda data: data["kind"] == "shell")
    assert channel["decision"]["actions"][-1] == "terminate_session"
    record.wait_until(lambda: done(open_host, "terminate_session"), what="the playbook has run")
    assert gone(open_host, audit)


def test_a_connection_without_a_channel_is_ended_on_an_operators_word(
    enforced: Enforced, open_host: Host
) -> None:
    before = record.last_seq(open_host)
    with connection(open_host, "alice", "-N") as client:
        audit = opened(open_host, before, "alice")
        asked = enforced.ask("session", "terminate", str(audit), *BECAUSE)
        assert json.loads(asked.stdout)["actions"] == ["terminate_session"]
        assert client.wait(60) == 255
    record.wait_until(lambda: done(open_host, "terminate_session"), what="the playbook has run")
    assert gone(open_host, audit)


def test_what_a_session_left_behind_goes_with_it_even_if_it_will_not(
    enforced: Enforced, open_host: Host
) -> None:
    before = record.last_seq(open_host)
    pid = open_host.ssh("alice", STUBBORN).stdout.strip()
    audit = opened(open_host, before, "alice")
    record.wait_for(open_host, before, "session.closed", lambda data: data["audit_session"] == audit)
    assert open_host.peek(["cat", f"/proc/{pid}/sessionid"]).stdout == str(audit)
    with connection(open_host, "alice") as other:
        assert answers(other)
        assert enforced.ask("session", "terminate", str(audit), *BECAUSE).returncode == 0
        record.wait_until(lambda: gone(open_host, audit), what="what was left behind is gone")
        record.wait_until(lambda: done(open_host, "terminate_session"), what="the playbook has run")
        assert answers(other), "another session of the same user is none of its business"


def test_a_session_nobody_knows_is_no_wish(enforced: Enforced, open_host: Host) -> None:
    before = record.last_seq(open_host)
    asked = enforced.ask("session", "terminate", "4000000", *BECAUSE)
    assert (asked.returncode, "no SSH session 4000000 is known" in asked.stderr) == (2, True)
    assert [r for r in record.events(open_host, before) if r["event"]["type"] == "operator.asked"] == []


def test_a_play_does_not_cut_the_connection_it_runs_over(enforced: Enforced, open_host: Host) -> None:
    boot = open_host.peek(["cat", "/proc/sys/kernel/random/boot_id"]).stdout.strip()
    tasks = [
        {"ansible.builtin.command": "cat /proc/self/sessionid", "register": "own"},
        {
            "hostseal.core.terminate_session": {
                "audit_session": "{{ own.stdout }}",
                "boot_id": boot,
            }
        },
    ]
    ran = play(enforced.site, tasks, open_host)
    assert "is the one this play runs over: it is not cut" in ran.stdout
    assert "unreachable=0" in ran.stdout
    tasks[1]["hostseal.core.terminate_session"] = {"audit_session": "{{ own.stdout }}", "boot_id": "0" * 32}
    assert play(enforced.site, tasks, open_host).returncode == 0
