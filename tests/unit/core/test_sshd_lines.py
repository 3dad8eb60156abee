"""sshd's lines: real ones of three releases beside what they mean, and forged ones beside nothing."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hostseal.core.channel import Kind
from hostseal.core.sshd_lines import (
    CONNECTIONS_KEPT,
    MONITORS_KEPT,
    Admitted,
    Channel,
    Monitor,
    Reader,
    Seen,
    Unbelieved,
    read,
)

JOURNAL = Path(__file__).parents[2] / "samples" / "journal"
MONITOR = {"SYSLOG_IDENTIFIER": "sshd", "_COMM": "sshd", "_EXE": "/usr/sbin/sshd", "_UID": 0, "_PID": 100}
CHILD = {**MONITOR, "_UID": 1000, "_PID": 101, "_AUDIT_SESSION": 5}
KNOWN = Reader({100: Monitor(child=101)})
SHELL = "Starting session: shell on pts/1 for alice from 10.0.0.1 port 4022 id 0"


def channel(**other: Any) -> Channel:
    plain = {
        "kind": Kind.SHELL, "user": "alice", "source": "10.0.0.1", "port": 4022, "number": 0, "leader": 100,
        "audit_session": 5,
    }  # fmt: skip
    return Channel(**{**plain, **other})


LINES = [
    (SHELL, channel(pty="pts/1")),
    ("Starting session: shell for alice from 10.0.0.1 port 4022 id 0", channel(kind=Kind.SHELL_NO_PTY)),
    ("Starting session: command for alice from 10.0.0.1 port 4022 id 0", channel(kind=Kind.COMMAND)),
    (
        "Starting session: command on pts/1 for alice from 10.0.0.1 port 4022 id 2",
        channel(kind=Kind.COMMAND_WITH_PTY, pty="pts/1", number=2),
    ),
    (
        "Starting session: subsystem 'sftp' for alice from 10.0.0.1 port 4022 id 0",
        channel(kind=Kind.SFTP, subsystem="sftp"),
    ),
    (
        "Starting session: subsystem 'netconf' for alice from 10.0.0.1 port 4022 id 0",
        channel(kind=Kind.SUBSYSTEM, subsystem="netconf"),
    ),
    (
        "Starting session: forced-command (key-option) 'rsync \"a\" on pts/9' for alice from 10.0.0.1 port 4022 id 0",
        channel(kind=Kind.COMMAND),
    ),
    (
        (
            "Starting session: forced-command (config) 'x' for root from 10.9.9.9 port 1 id 7' on pts/3 for alice"
            " from 10.0.0.1 port 4022 id 0"
        ),
        channel(kind=Kind.COMMAND_WITH_PTY, pty="pts/3"),
    ),
    (
        "Starting session: shell on pts/1 for alice from fe80::1%eth0 port 4022 id 0",
        channel(pty="pts/1", source="fe80::1%eth0"),
    ),
    (
        "Starting session: command for shell on pts/1 for root from 10.9.9.9 port 1 id 0 from 10.0.0.1 port 4022 id 0",
        channel(kind=Kind.COMMAND, user="shell on pts/1 for root from 10.9.9.9 port 1 id 0"),
    ),
    ("Starting session: shell on pts/1 for alice", None),
    ("Close session: user alice from 10.0.0.1 port 4022 id 0", None),
]


@pytest.mark.parametrize(("line", "expected"), LINES)
def test_a_line_of_a_named_child_means_its_channel(line: str, expected: Channel | None) -> None:
    assert read(KNOWN, {**CHILD, "MESSAGE": line}) == (KNOWN, expected)


def test_a_child_is_known_once_its_monitor_has_named_it_until_its_connection_ends() -> None:
    reader, seen = read(Reader(), {**MONITOR, "MESSAGE": "User child is on pid 101"})
    assert seen == Admitted(leader=100, user="", detailed=True)
    assert read(reader, {**CHILD, "MESSAGE": SHELL})[1] == channel(pty="pts/1")
    closed = {**MONITOR, "MESSAGE": "pam_unix(sshd:session): session closed for user alice"}
    reader, seen = read(reader, closed)
    assert (reader, seen) == (Reader(), None)
    assert read(reader, {**CHILD, "MESSAGE": SHELL})[1] == Unbelieved(1000)


def test_a_login_is_told_with_what_is_known_of_its_connection() -> None:
    at = {"user": "alice", "source": "10.0.0.1", "port": 4022}
    told = [
        ('Connection from 10.0.0.1 port 4022 on 10.0.0.2 port 22 rdomain ""', None),
        ("Accepted password for alice from 10.0.0.1 port 4022 ssh2", at),
        ("pam_unix(sshd:session): session opened for user alice(uid=1000) by (uid=0)", at),
        ("User child is on pid 101", at),
    ]
    reader = Reader()
    for line, expected in told:
        reader, seen = read(reader, {**MONITOR, "MESSAGE": line})
        assert seen == (None if expected is None else Admitted(leader=100, detailed=True, **expected)), line


def test_an_sshd_that_is_not_at_verbose_is_no_witness_of_channels() -> None:
    accepted = {
        **MONITOR,
        "MESSAGE": "Accepted publickey for alice from 10.0.0.1 port 4022 ssh2: ED25519 SHA256:x",
    }
    _, seen = read(Reader(), accepted)
    assert seen == Admitted(leader=100, user="alice", source="10.0.0.1", port=4022, detailed=False)


FORGED: list[tuple[Mapping[str, object], Seen | None]] = [
    ({**CHILD, "_PID": 999}, Unbelieved(1000)),
    ({**CHILD, "_COMM": "logger", "_PID": 999}, Unbelieved(1000)),
    (
        {**CHILD, "SYSLOG_IDENTIFIER": "sshd-session", "_COMM": None, "_EXE": None, "_PID": 999},
        Unbelieved(1000),
    ),
    ({**MONITOR, "_EXE": "/home/alice/sshd"}, Unbelieved(0)),
    ({**MONITOR, "_EXE": None, "_PID": 999}, None),
    ({**CHILD, "_PID": 999, "SYSLOG_IDENTIFIER": "internal-sftp"}, None),
    ({**CHILD, "_PID": 999, "SYSLOG_IDENTIFIER": "nginx", "_COMM": "nginx"}, None),
    ({**CHILD, "_PID": "101"}, None),
]


@pytest.mark.parametrize(("fields", "seen"), FORGED)
@pytest.mark.parametrize(
    "line",
    [
        SHELL,
        "User child is on pid 666",
        "Accepted publickey for alice from 10.0.0.1 port 4022 ssh2: x",
        "pam_unix(sshd:session): session closed for user alice",
    ],
)
def test_a_forged_line_changes_nothing_and_is_told_as_such(
    fields: Mapping[str, object], seen: Seen | None, line: str
) -> None:
    assert read(KNOWN, {**fields, "MESSAGE": line}) == (KNOWN, seen)


def test_a_user_that_does_not_exist_names_nobody() -> None:
    line = "Invalid user User child is on pid 666 from 10.0.0.1 port 4022"
    assert read(Reader(), {**MONITOR, "MESSAGE": line}) == (Reader(), None)


def test_what_is_remembered_is_bounded() -> None:
    reader = Reader()
    for pid in range(MONITORS_KEPT + 2):
        reader = reader.knowing(pid, child=pid + 1)
    assert (len(reader.monitors), 0 in reader.monitors, MONITORS_KEPT + 1 in reader.monitors) == (
        MONITORS_KEPT,
        False,
        True,
    )
    for pid in range(CONNECTIONS_KEPT + 2):
        reader = reader.announced(pid)
    assert len(reader.connections) == CONNECTIONS_KEPT


RECORDED = [
    pytest.param(client, id=f"{path.stem}: {client['client']}")
    for path in sorted(JOURNAL.glob("*.json"))
    for client in json.loads(path.read_bytes())["clients"]
]


@pytest.mark.parametrize("recorded", RECORDED)
def test_the_journal_of_a_real_login_means_what_stands_beside_it(recorded: dict[str, Any]) -> None:
    reader, found = Reader(), []
    for entry in recorded["journal"]:
        reader, seen = read(reader, entry)
        if seen is not None:
            found.append({"seen": type(seen).__name__, **msgspec.to_builtins(seen)})
    assert found == recorded["expected"]
