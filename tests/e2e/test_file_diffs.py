"""What changed in text files, as the record of a booted host shows it, and that no secret is in it."""

import secrets
from typing import Any

import pytest

from e2e import record
from e2e.conftest import Fleet
from lab import Host

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

CONF = "/etc/some.conf"
PYTHON = "/opt/hostseal/bin/python"
RECORDS = ("/var/lib/hostseal", "/var/log")
KEPT = "from pathlib import Path; from hostseal.befores.store import BeforeStore as S; "
KEPT += "print(b'\\n'.join(S(Path('/var/lib/hostseal/befores'), 1 << 30).paths()).decode())"


@pytest.fixture
def host(fleet: Fleet) -> Host:
    """The host in mode `observe`, its store filled: nothing here asks for a pardon."""
    watched = fleet.observing
    record.wait_until(
        lambda: record.status(watched)["agent"]["diffs"]["complete"], what="the befores are kept"
    )
    return watched


def write(host: Host, user: str, path: str, text: str) -> None:
    """Write a file as an editor does that stays open a while, so that the kernel's word of its pid can be followed.

    The text comes by standard input: what is typed on a command line stands in the journal.
    """
    program = 'IFS= read -rd "" text; printf %s "$text" > "$0"; sleep 2'
    done = host.ssh(user, ["sudo", "bash", "-c", program, path], input=text)
    assert done.returncode == 0, done.stderr


def diff_of(host: Host, after: int, path: str, user: str) -> Any:
    """Return the diff of the first change of a path by that person."""

    def by_them(data: Any) -> bool:
        session = data["writer"]["session"] or {}
        return session.get("user") == user and path in {one["path"] for one in data["paths"]}

    found = record.wait_for(host, after, "files.changed", by_them)
    return next(one["diff"] for one in found["event"]["data"]["paths"] if one["path"] == path)


def holders(host: Host, text: str) -> list[str]:
    """Return what of the host's records holds a text: files, and the journal, whose own files are compressed."""
    found = host.peek(["grep", "-rlaF", "-e", text, *RECORDS], check=False).stdout.split()
    journal = host.peek(["journalctl", "--all", "--output=export", "--no-pager"]).stdout
    return [*found, *(["the journal"] if text in journal else [])]


def test_a_changed_password_is_a_line_that_changed_and_nothing_more(host: Host) -> None:
    old, new = secrets.token_hex(12), secrets.token_hex(12)
    before = record.last_seq(host)
    write(host, "deploy", CONF, f"user = app\npassword = {old}\nport = 8080\n")
    made = diff_of(host, before, CONF, "deploy")
    assert made == {
        "text": "--- /dev/null\n+++ after\n@@ -0,0 +1,3 @@\n+user = app\n+password = <masked 1>\n+port = 8080",
        "masked": 1,
        "cut": False,
    }
    before = record.last_seq(host)
    motto = f"changed by hand {secrets.token_hex(4)}"
    write(host, "alice", CONF, f"user = app\npassword = {new}\nport = 8080\n")
    write(host, "alice", "/etc/motd", f"{motto}\n")
    assert diff_of(host, before, CONF, "alice") == {
        "text": "--- before\n+++ after\n@@ -1,3 +1,3 @@\n user = app\n-password = <masked 1>\n+password = <masked 2>\n port = 8080",
        "masked": 2,
        "cut": False,
    }
    motd = diff_of(host, before, "/etc/motd", "alice")
    assert f"+{motto}" in motd["text"].splitlines()

    assert holders(host, old) == []
    assert holders(host, new) == []
    # Looked for in the same way, what is no secret is found: in the agent's record, and not in the policy's.
    assert [name for name in holders(host, motto) if "spool.db" in name] != []
    assert [name for name in holders(host, motto) if "decisions" in name or name == "the journal"] == []


def test_the_session_s_story_shows_the_diff(host: Host) -> None:
    before = record.last_seq(host)
    write(host, "alice", "/etc/motd", "\x1b]0;owned\x07welcome\n")
    found = diff_of(host, before, "/etc/motd", "alice")
    assert "+\\x1b]0;owned\\x07welcome" in found["text"].splitlines()
    opened = record.wait_for(host, before, "session.opened", lambda data: data["user"] == "alice")
    story = host.peek(
        [record.HOSTSEAL, "session", "show", str(opened["event"]["data"]["audit_session"])]
    ).stdout
    assert "+\\x1b]0;owned\\x07welcome" in story
    assert "+\\x1b]0;owned\\x07welcome" in host.peek([record.HOSTSEAL, "log"]).stdout


def test_shadow_is_told_of_and_never_shown_nor_kept(host: Host) -> None:
    before = record.last_seq(host)
    done = host.ssh("alice", "sudo chpasswd", input=f"games:{secrets.token_urlsafe(16)}\n")
    assert done.returncode == 0, done.stderr
    assert diff_of(host, before, "/etc/shadow", "alice") is None
    kept = host.peek([PYTHON, "-c", KEPT]).stdout.splitlines()
    assert "/etc/motd" in kept
    assert [path for path in kept if "shadow" in path or path.endswith(("_key", "/token"))] == []
    mode = host.peek(
        ["stat", "-c", "%a %U", "/var/lib/hostseal/befores", "/var/lib/hostseal/befores/befores.db"]
    )
    assert mode.stdout.split("\n")[:2] == ["700 root", "600 root"]
