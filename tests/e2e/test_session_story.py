"""What happens inside a session, on a booted host: commands on stdin, other users, what is left behind, and the story of it."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from e2e import person, record
from e2e.conftest import Fleet
from e2e.test_a_login_is_never_blocked import shell
from lab import Host

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SETTINGS = "/etc/hostseal/config.d/90-commands.toml"


@contextmanager
def held(host: Host, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Yield an ssh client of alice's whose standard input stays open, ended with the block."""
    command = [*host.ssh_args("alice"), *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as client:
        yield client
        client.terminate()  # some of these go on although their input has ended
        client.wait(30)


def said(host: Host, command: str, sent: bytes) -> bytes:
    done = subprocess.run(
        [*host.ssh_args("alice"), command], input=sent, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def kind(wanted: str) -> Any:
    return lambda data: data["kind"] == wanted


def opened(host: Host, after: int) -> int:
    """Return the audit session id of the first session after that seq."""
    return int(record.wait_for(host, after, "session.opened")["event"]["data"]["audit_session"])


def show(host: Host, identity: object, *options: str) -> str:
    done = host.peek([record.HOSTSEAL, "session", "show", str(identity), *options], check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


TAKES_COMMANDS = [
    pytest.param("bash -i", id="bash -i"),
    pytest.param("bash", id="bash"),
    pytest.param("sh -s with arguments", id="sh -s"),
    pytest.param("python3 -i", id="python3 -i"),
    pytest.param("python3", id="python3"),
    pytest.param("exec perl", id="perl"),
    pytest.param("script -qc bash /dev/null", id="script"),
    pytest.param("python3 -c 'import pty; pty.spawn(\"/bin/bash\")'", id="pty.spawn"),
    pytest.param("cat | sh", id="cat | sh"),
    pytest.param(
        "mkfifo /tmp/hostseal-f; exec 3<&0; cat <&3 >/tmp/hostseal-f & sh </tmp/hostseal-f", id="a named pipe"
    ),
    pytest.param("exec -a sleep bash", id="a shell that calls itself sleep"),
    pytest.param("exec -a '' bash", id="a shell without a name"),
    pytest.param("exec -a -bash bash", id="a shell that calls itself a login shell"),
    pytest.param("/lib64/ld-linux-x86-64.so.2 /bin/bash", id="by the loader"),
    pytest.param("sudo -i", id="sudo -i"),
]


@pytest.mark.parametrize("command", TAKES_COMMANDS)
def test_a_command_that_takes_commands_is_interactive_and_flags(sealed: Host, command: str) -> None:
    before = record.last_seq(sealed)
    with held(sealed, command):
        found = record.wait_for(sealed, before, "session.channel", kind("interactive_command"))
    data = found["event"]["data"]
    assert (data["user"], data["pty"], data["number"]) == ("alice", None, None)
    assert data["session"]["audit_session"] == opened(sealed, before)
    assert found["decision"]["actions"] == ["flag"]


def test_commands_sent_and_gone_at_once_are_caught_by_what_was_executed(sealed: Host) -> None:
    """Each is over long before the first look; some end before anybody can read them, so not all need be caught."""
    before = record.last_seq(sealed)
    for _ in range(10):
        assert said(sealed, "bash", b"id -un\n") == b"alice\n"
    for _ in range(3):
        found = record.wait_for(sealed, before, "session.channel", kind("interactive_command"))
        before = found["event"]["seq"]


@pytest.mark.parametrize(
    "command",
    [
        "true",
        "sleep 4",
        "bash -c 'sleep 1; id'",
        "python3 -c 'import time; time.sleep(2)'",
        "echo id > /tmp/x.sh; sh /tmp/x.sh",
    ],
)
def test_a_command_that_takes_none_is_none(sealed: Host, command: str) -> None:
    before = record.last_seq(sealed)
    said(sealed, command, b"")
    record.wait_for(sealed, before, "session.closed")
    record.wait_for(sealed, before, "session.channel", kind("command"))
    kinds = {
        r["event"]["data"]["kind"]
        for r in record.events(sealed, before)
        if r["event"]["type"] == "session.channel"
    }
    assert kinds == {"command"}
    record.wait_until(lambda: record.standing(sealed) == "sealed", what="the suspicion is lifted")


def test_a_shell_without_a_terminal_is_one_channel_and_no_command(sealed: Host) -> None:
    before = record.last_seq(sealed)
    with held(sealed):
        record.wait_for(sealed, before, "session.channel", kind("shell_no_pty"))
        record.wait_until(lambda: looked_again(sealed), what="it has been looked at once more")
    record.wait_for(sealed, before, "session.closed")
    channels = [
        r["event"]["data"]["kind"]
        for r in record.events(sealed, before)
        if r["event"]["type"] == "session.channel"
    ]
    assert channels == ["shell_no_pty"]


def looked_again(host: Host) -> bool:
    """Tell whether the shell is older than the grace after which it would be taken for a command (2 s) and a look (3 s)."""
    seconds = host.peek(["ps", "-o", "etimes=", "-C", "bash"], check=False).stdout.split()
    return any(int(one) >= 4 for one in seconds)


def test_an_old_scp_is_told_from_a_command(sealed: Host) -> None:
    before = record.last_seq(sealed)
    ssh = sealed.ssh_args("alice")
    slow = ["scp", "-O", "-l", "800", *ssh[1:-1], f"{ssh[-1]}:/usr/bin/perl", "/dev/null"]
    with subprocess.Popen(slow, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as client:
        found = record.wait_for(sealed, before, "session.channel", kind("scp"))
        client.terminate()
    assert found["decision"]["actions"] in ([], ["lift"])


@pytest.mark.parametrize(
    ("command", "target", "via"),
    [
        ("sudo id", "root", "/usr/bin/sudo"),
        ("sudo -u bob id", "bob", "/usr/bin/sudo"),
        ("sudo su bob -c 'sleep 1'", "bob", "/usr/bin/su"),
    ],
)
def test_another_user_inside_a_session_is_on_record(
    sealed: Host, command: str, target: str, via: str
) -> None:
    before = record.last_seq(sealed)
    said(sealed, command, b"")
    found = record.wait_for(sealed, before, "session.privilege", lambda data: data["target"] == target)
    data = found["event"]["data"]
    assert (data["user"], data["via"], data["confidence"]) == ("alice", via, "exact")
    assert [f["rule"] for f in found["decision"]["findings"]] == ["privilege_gained"]
    assert found["decision"]["actions"] == []
    record.wait_for(sealed, before, "session.closed")
    seen = [
        r["event"]["data"] for r in record.events(sealed, before) if r["event"]["type"] == "session.privilege"
    ]
    assert len({(one["target"], one["via"]) for one in seen}) == len(seen), (
        "one event for each user and program"
    )
    assert all(one["via"] is not None for one in seen), "what PAM runs for sshd is nobody's change of user"


@pytest.mark.parametrize(
    "command",
    [
        "setsid nohup sleep 45 </dev/null >/dev/null 2>&1 &",
        "nohup sleep 45 </dev/null >/dev/null 2>&1 & disown",
    ],
)
def test_what_outlives_the_session_is_found_and_flags(sealed: Host, command: str) -> None:
    before = record.last_seq(sealed)
    said(sealed, command, b"")
    found = record.wait_for(sealed, before, "session.left_behind")
    data = found["event"]["data"]
    assert [(p["exe"], p["uid"]) for p in data["processes"]] == [("/usr/bin/sleep", 2001)]
    assert data["session"]["audit_session"] == opened(sealed, before)
    assert found["decision"]["actions"] == ["flag"]
    shell(sealed, f"kill {data['processes'][0]['pid']}")


def test_a_session_that_leaves_nothing_says_nothing(sealed: Host) -> None:
    before = record.last_seq(sealed)
    said(sealed, "sleep 0.1", b"")
    first = opened(sealed, before)
    said(sealed, "setsid sleep 20 </dev/null >/dev/null 2>&1 &", b"")
    found = record.wait_for(sealed, before, "session.left_behind")
    assert found["event"]["data"]["session"]["audit_session"] != first
    shell(sealed, f"kill {found['event']['data']['processes'][0]['pid']}")


def test_commands_are_not_recorded_unless_it_is_switched_on(sealed: Host) -> None:
    before = record.last_seq(sealed)
    said(sealed, "uname --all", b"")
    audit = opened(sealed, before)
    record.wait_for(sealed, before, "session.closed")
    assert "commands    not recorded" in show(sealed, audit)
    shell(sealed, f"printf '[sessions]\\nrecord_commands = true\\n' > {SETTINGS}; systemctl restart hostseal")
    try:
        record.wait_for(sealed, before, "agent.started")
        after = record.last_seq(sealed)
        said(sealed, "sleep 0.2; env PASSWORD=hunter2 sleep 0.3; /bin/sleep 0.4", b"")
        audit = opened(sealed, after)
        recorded = record.wait_for(sealed, after, "session.commands")
        assert recorded["decision"]["findings"] == []
        seen = json.dumps([r["event"] for r in record.events(sealed, after)])
        assert "hunter2" not in seen
        page = show(sealed, audit)
        assert "sleep 0.2" in page
        assert "env PASSWORD=*** sleep 0.3" in page or "sleep 0.3" in page
    finally:
        shell(sealed, f"rm {SETTINGS}; systemctl restart hostseal")


def test_the_story_of_a_session_stands_on_one_page(sealed: Host) -> None:
    before = record.last_seq(sealed)
    with person.shell(sealed, "alice") as session:
        person.run(session, "sudo -i")
        person.run(session, "echo '192.0.2.9 story' >> /etc/hosts")
        record.wait_for(sealed, before, "files.changed", lambda d: d["paths"][0]["path"] == "/etc/hosts")
        session.sendline("exit")
        session.expect(person.PROMPT)
        person.run(session, "setsid nohup sleep 45 </dev/null >/dev/null 2>&1 &")
    left = record.wait_for(sealed, before, "session.left_behind")["event"]["data"]
    audit = opened(sealed, before)
    record.wait_until(lambda: "flag.yml done" in show(sealed, audit), what="the playbook has run")
    page = show(sealed, audit)
    assert [line.split()[0] for line in page.splitlines()][:5] == [
        "session",
        "who",
        "key",
        "opened",
        "channel",
    ]
    for text in (
        "alice from", "SHA256:", ": shell on pts/", "alice became root by /usr/bin/sudo", "/etc/hosts (modified)",
        "commands    not recorded", "left behind", "/usr/bin/sleep, pid", "-> flag", "high, interactive_session:",
        "high, left_behind:", "flag.yml done",
    ):  # fmt: skip
        assert text in page, page
    story = json.loads(show(sealed, audit, "--json"))
    assert story["session"]["user"] == "alice"
    assert [one["data"]["kind"] for one in story["channels"]] == ["shell"]
    assert story["left_behind"][0]["data"]["processes"] == left["processes"]
    assert story["commands"] is None
    assert show(sealed, story["channels"][0]["id"]) == page
    assert show(sealed, story["session"]["logind_session"]) == page
    listed = sealed.peek([record.HOSTSEAL, "session", "list"]).stdout.splitlines()
    assert any(line.split()[0] == str(audit) and "shell" in line for line in listed)
    shell(sealed, f"kill {left['processes'][0]['pid']}")


def test_a_session_that_is_not_there_is_bad_input(fleet: Fleet) -> None:
    done = fleet.flagging.peek([record.HOSTSEAL, "session", "show", "999999999"], check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no session 999999999 is on record here" in done.stderr
