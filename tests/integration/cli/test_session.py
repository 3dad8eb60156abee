"""`hostseal session` on a spool as the agent leaves it."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from hostseal.core.event import Event
from hostseal.spool.sqlite import SqliteSpool

SAMPLES = Path(__file__).parents[2] / "samples" / "events"
ORDER = (
    "session_opened_person", "channel_shell", "privilege_sudo", "files_changed_by_person", "session_commands",
    "session_closed", "left_behind_by_person", "session_opened_hostile", "channel_hostile", "privilege_hostile",
)  # fmt: skip


def sample(name: str) -> bytes:
    """Return a sample; the hostile ones are put into a session of their own."""
    raw = (SAMPLES / f"{name}.json").read_bytes()
    if "hostile" not in name:
        return raw
    own = raw.replace(b'"audit_session": 12', b'"audit_session": 66')
    return own.replace(b'"logind_session": "12"', b'"logind_session": "66"')


@pytest.fixture
def state(tmp_path: Path) -> Path:
    spool = SqliteSpool(tmp_path / "spool.db")
    for name in ORDER:
        event = msgspec.json.decode(sample(name), type=Event)
        spool.put(lambda seq, event=event: msgspec.structs.replace(event, seq=seq))  # type: ignore[misc]
    spool.close()
    return tmp_path


def session(state: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "hostseal", "session", *arguments, "--state", str(state)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_page(state: Path) -> None:
    done = session(state, "show", "12")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "session     12 on web-1, logind 12, boot fedcba98-7654-3210-fedc-ba9876543210",
        "who         alice from 192.0.2.7",
        "key         SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE (ssh-ed25519)",
        "opened      2026-01-02 03:04:06 UTC",
        "channel     2026-01-02 03:04:06 UTC  alice from 192.0.2.7: shell on pts/0",
        "user        2026-01-02 03:04:06 UTC  alice became root by /usr/bin/sudo",
        "files       2026-01-02 03:04:06 UTC  1 change(s) by /usr/bin/vim.basic, exact",
        "            /etc/hosts (modified)",
        "command     2026-01-02 03:04:06 UTC  mysql --password=***",
        "command     2026-01-02 03:04:06 UTC  /usr/bin/true (arguments not seen)",
        "closed      2026-01-02 03:04:06 UTC",
        "left behind 2026-01-02 03:04:06 UTC  2 process(es)",
        "            /usr/bin/tmux, pid 4260, uid 1000",
        "            an unknown program, pid 4261, uid 0",
    ]


def test_json_has_the_whole_story(state: Path) -> None:
    story = json.loads(session(state, "show", "12", "--json").stdout)
    assert story["name"] == {"boot_id": "fedcba98-7654-3210-fedc-ba9876543210", "audit_session": 12}
    assert [one["data"]["kind"] for one in story["channels"]] == ["shell"]
    assert story["commands"][0]["data"]["commands"][0]["argv"] == ["mysql", "--password=***"]


def test_what_an_attacker_chose_is_escaped(state: Path) -> None:
    for done in (session(state, "list"), session(state, "show", "66")):
        assert done.returncode == 0
        assert done.stdout.replace("\n", "").isprintable()
        assert r"\x1b[2J" in done.stdout


TEXT = "--- before\n+++ after\n@@ -1 +1 @@\n-a\tb\n+\x1b[2J <masked 1>"
DIFF = [
    "--- before", "+++ after", "@@ -1 +1 @@", "-a  b", r"+\x1b[2J <masked 1>", "(the rest is not kept)",
]  # fmt: skip


@pytest.fixture
def with_diff(tmp_path: Path) -> Path:
    """A spool with one change whose diff an attacker made."""
    spool = SqliteSpool(tmp_path / "spool.db")
    for name in ("session_opened_person", "files_changed_by_person"):
        event = msgspec.json.decode(sample(name), type=Event)
        if event.type == "files.changed":
            event.data["paths"][0]["diff"] = {"text": TEXT, "masked": 1, "cut": True}
        spool.put(lambda seq, event=event: msgspec.structs.replace(event, seq=seq))  # type: ignore[misc]
    spool.close()
    return tmp_path


def test_a_page_shows_what_changed_in_a_file(with_diff: Path) -> None:
    lines = session(with_diff, "show", "12").stdout.splitlines()
    first = lines.index("            /etc/hosts (modified)") + 1
    assert lines[first : first + len(DIFF)] == [f"{'':14}{line}" for line in DIFF]


def test_the_log_shows_what_changed_in_a_file(with_diff: Path) -> None:
    command = [sys.executable, "-m", "hostseal", "log", "--state", str(with_diff)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    lines = done.stdout.splitlines()
    first = lines.index(f"{'':25}/etc/hosts") + 1
    assert lines[first : first + len(DIFF)] == [f"{'':27}{line}" for line in DIFF]


def test_on_a_terminal_alone_lines_have_colours(with_diff: Path) -> None:
    command = f"{sys.executable} -m hostseal session show 12 --state {with_diff}"
    done = subprocess.run(
        ["script", "-qec", command, "/dev/null"], capture_output=True, text=True, check=True, timeout=60
    )
    assert "\x1b[31m-a  b\x1b[0m" in done.stdout
    assert "\x1b[32m+\\x1b[2J <masked 1>\x1b[0m" in done.stdout
    assert "\x1b" not in session(with_diff, "show", "12").stdout


def test_what_is_not_there_is_bad_input(state: Path) -> None:
    done = session(state, "show", "4711")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "hostseal: no session 4711 is on record here",
        "  -> hostseal session list",
    ]


def test_without_a_spool_it_says_so(tmp_path: Path) -> None:
    done = session(tmp_path, "list")
    assert done.returncode == 1
    assert "there is no spool" in done.stderr
