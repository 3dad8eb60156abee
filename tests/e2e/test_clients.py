"""The classification's table (docs/reference/sessions.md), row by row: a client, and what its connections are taken for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from e2e import clients, record
from e2e.conftest import Fleet
from lab import Host

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

Client = Callable[[Host, Path], None]

# Each channel as (kind, subsystem, whether it has a terminal, confidence), those of several connections together.
COMMAND = ("command", None, False, "exact")
SFTP = ("sftp", "sftp", False, "exact")
SHELL = ("shell", None, True, "exact")
COMMAND_WITH_PTY = ("command_with_pty", None, True, "exact")
FORWARD = ("forward", None, False, "inferred")

TABLE: list[tuple[Client, list[tuple[str, str | None, bool, str]]]] = [
    (clients.interactive, [SHELL]),
    (clients.terminal_from_a_script, [COMMAND_WITH_PTY]),
    (clients.command, [COMMAND]),
    (clients.shell_without_terminal, [("shell_no_pty", None, False, "exact")]),
    (clients.sftp, [SFTP]),
    (clients.scp, [SFTP]),
    (clients.local_forward, [FORWARD]),
    (clients.dynamic_forward, [FORWARD]),
    (clients.stdio_forward, [FORWARD]),
    (clients.multiplexed, [SHELL, SHELL, COMMAND]),
    (clients.rsync, [COMMAND]),
    (clients.git, [COMMAND]),
    (clients.by_password, [COMMAND]),
    (clients.by_certificate, [COMMAND]),
]


@pytest.fixture(scope="module", autouse=True)
def began(fleet: Fleet) -> int:
    """How far the record was before the first of these clients: other modules use the host, too.

    What the agent still has to report of them it reports when it stops.
    """
    host, before = fleet.observing, record.last_seq(fleet.observing)
    host.peek("systemctl restart hostseal.service")
    record.wait_for(host, before, "agent.started")
    return record.last_seq(host)


def finished(host: Host, after: int, channels: int) -> list[record.Record]:
    """Return the person's events once each session has ended and that many channels are decided."""

    def look() -> list[record.Record]:
        mine = [
            r["event"] for r in record.events(host, after) if r["event"]["data"].get("user") == clients.USER
        ]
        kinds = [event["type"] for event in mine]
        ended = kinds.count("session.opened") == kinds.count("session.closed") > 0
        return mine if ended and kinds.count("session.channel") >= channels else []

    return record.wait_until(look, what=f"{channels} channels of sessions that have ended")


def shown(events: list[record.Record]) -> list[tuple[str, str | None, bool, str]]:
    data = [event["data"] for event in events if event["type"] == "session.channel"]
    return [(d["kind"], d["subsystem"], d["pty"] is not None, d["confidence"]) for d in data]


def data_of(events: list[record.Record], kind: str) -> list[dict[str, Any]]:
    return [event["data"] for event in events if event["type"] == kind]


@pytest.mark.parametrize(("client", "expected"), TABLE, ids=lambda value: getattr(value, "__name__", ""))
def test_a_client_is_classified_by_what_it_did(
    fleet: Fleet, tmp_path: Path, client: Client, expected: list[tuple[str, str | None, bool, str]]
) -> None:
    host, before = fleet.observing, record.last_seq(fleet.observing)
    client(host, tmp_path)
    events = finished(host, before, len(expected))
    assert shown(events) == expected
    [opened] = data_of(events, "session.opened")
    assert opened["seen_by"] == "pam"
    for channel in data_of(events, "session.channel"):
        assert channel["session"] == opened


@pytest.mark.parametrize(
    ("client", "kinds"),
    [
        (clients.ansible, {"command", "sftp", "command_with_pty"}),
        (clients.ansible_pipelined, {"command"}),
        (clients.old_scp, {"command", "scp"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_program_that_opens_several_is_classified_by_all_of_them(
    fleet: Fleet, tmp_path: Path, client: Client, kinds: set[str]
) -> None:
    """What the processes of a command do may add a stronger word; sshd's own is there in any case."""
    host, before = fleet.observing, record.last_seq(fleet.observing)
    client(host, tmp_path)
    events = finished(host, before, len(kinds))
    by_sshd = {
        channel["kind"] for channel in data_of(events, "session.channel") if channel["confidence"] == "exact"
    }
    assert kinds <= by_sshd


def test_how_somebody_logged_in_is_with_the_session(fleet: Fleet, tmp_path: Path) -> None:
    host, before = fleet.observing, record.last_seq(fleet.observing)
    clients.by_password(host, tmp_path)
    [by_password] = data_of(finished(host, before, 1), "session.opened")
    assert by_password["key"] == {
        "method": "password",
        "type": None,
        "fingerprint": None,
        "certificate": None,
    }
    before = record.last_seq(host)
    clients.by_certificate(host, tmp_path)
    [by_certificate] = data_of(finished(host, before, 1), "session.opened")
    assert by_certificate["key"]["certificate"]["key_id"] == "TICKET-1"
    assert by_certificate["key"]["certificate"]["principals"] == [clients.USER]


def test_the_channels_of_one_connection_keep_their_numbers(fleet: Fleet, tmp_path: Path) -> None:
    host, before = fleet.observing, record.last_seq(fleet.observing)
    clients.multiplexed(host, tmp_path)
    events = finished(host, before, 3)
    assert [channel["number"] for channel in data_of(events, "session.channel")] == [0, 1, 2]


def test_none_of_these_made_the_witnesses_disagree(fleet: Fleet, began: int) -> None:
    """Stands last. A session that is given its grace after all of them has shown that theirs are over."""
    host, before = fleet.observing, record.last_seq(fleet.observing)
    host.peek("sed -i.kept '/pam-hook/d' /etc/pam.d/sshd")
    try:
        assert host.ssh("bob", "true").returncode == 0
        record.wait_for(host, before, "witnesses.disagree")
    finally:
        host.peek("mv /etc/pam.d/sshd.kept /etc/pam.d/sshd")
    found = [
        r["event"]["data"] for r in record.events(host, began) if r["event"]["type"] == "witnesses.disagree"
    ]
    assert [(data["user"], data["seen_by"], data["missing"]) for data in found] == [
        ("bob", ["journal"], ["pam"])
    ]
