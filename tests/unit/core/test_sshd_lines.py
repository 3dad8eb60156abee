"""sshd's lines: real ones beside what they mean, and forged ones beside nothing."""

from collections.abc import Mapping

import pytest

from hostseal.core.sshd_lines import Channel, Reader, read

MONITOR = {"_COMM": "sshd", "_EXE": "/usr/sbin/sshd", "_UID": 0, "_PID": 100, "_AUDIT_SESSION": 5}
CHILD = {"_COMM": "sshd", "_EXE": "/usr/sbin/sshd", "_UID": 1000, "_PID": 101, "_AUDIT_SESSION": 5}
KNOWN = Reader((101,))


def channel(**other: object) -> Channel:
    plain = {
        "kind": "shell",
        "user": "alice",
        "source": "10.0.0.1",
        "port": 4022,
        "number": 0,
        "audit_session": 5,
    }
    return Channel(**{**plain, **other})


SAMPLES = [
    ("Starting session: shell on pts/1 for alice from 10.0.0.1 port 4022 id 0", channel(pty="pts/1")),
    ("Starting session: shell for alice from 10.0.0.1 port 4022 id 0", channel(kind="shell_no_pty")),
    ("Starting session: command for alice from 10.0.0.1 port 4022 id 0", channel(kind="command")),
    (
        "Starting session: command on pts/1 for alice from 10.0.0.1 port 4022 id 2",
        channel(kind="command_with_pty", pty="pts/1", number=2),
    ),
    (
        "Starting session: subsystem 'sftp' for alice from 10.0.0.1 port 4022 id 0",
        channel(kind="sftp", subsystem="sftp"),
    ),
    (
        "Starting session: forced-command (key-option) 'rsync \"a\" on pts/9' for alice from 10.0.0.1 port 4022 id 0",
        channel(kind="command"),
    ),
    ("Accepted publickey for alice from 10.0.0.1 port 4022 ssh2: ED25519 SHA256:x", None),
    ("Starting session: shell on pts/1 for alice", None),
]


@pytest.mark.parametrize(("line", "expected"), SAMPLES)
def test_a_line_of_a_named_child_means_its_channel(line: str, expected: Channel | None) -> None:
    assert read(KNOWN, {**CHILD, "MESSAGE": line}) == (KNOWN, expected)


def test_a_child_is_known_once_its_monitor_has_named_it() -> None:
    line = "Starting session: shell on pts/1 for alice from 10.0.0.1 port 4022 id 0"
    assert read(Reader(), {**CHILD, "MESSAGE": line})[1] is None
    reader, _ = read(Reader(), {**MONITOR, "MESSAGE": "User child is on pid 101"})
    assert read(reader, {**CHILD, "MESSAGE": line})[1] == channel(pty="pts/1")


FORGED: list[Mapping[str, object]] = [
    {**CHILD, "_PID": 999},
    {**MONITOR, "_EXE": "/home/alice/sshd"},
    {**CHILD, "_COMM": "logger"},
    {"SYSLOG_IDENTIFIER": "sshd", "_COMM": "logger", "_UID": 1000, "_PID": 101},
]


@pytest.mark.parametrize("fields", FORGED)
def test_a_forged_line_means_nothing(fields: Mapping[str, object]) -> None:
    line = "Starting session: shell on pts/1 for alice from 10.0.0.1 port 4022 id 0"
    assert read(KNOWN, {**fields, "MESSAGE": line}) == (KNOWN, None)


def test_a_user_cannot_name_a_child() -> None:
    assert read(Reader(), {**CHILD, "MESSAGE": "User child is on pid 666"}) == (Reader(), None)
