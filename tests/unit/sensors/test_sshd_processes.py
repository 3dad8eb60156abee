"""Sessions as the kernel shows them: by the titles of sshd's processes, and on this machine's own /proc."""

import os

import pytest

from hostseal.sensors.sshd_processes import look, served

SERVING = [
    ("sshd: alice", ("alice", ())),
    ("sshd: alice@notty", ("alice", ("notty",))),
    ("sshd: alice@pts/0", ("alice", ("pts/0",))),
    ("sshd-session: alice@pts/0,pts/1", ("alice", ("pts/0", "pts/1"))),
    ("sshd: root@notty", ("root", ("notty",))),
    ("sshd: alice@example.org@pts/3", ("alice@example.org", ("pts/3",))),
]
NOBODY = [
    "sshd: [accepted]",
    "sshd: [net]",
    "sshd: unknown [priv]",
    "sshd: unknown [net]",
    "sshd: alice [net]",
    "sshd: alice [priv]",
    "sshd-session: alice [priv]",
    "sshd-session: [accepted]",
    "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups",
    "/usr/sbin/sshd",
    "bash",
    "",
]


@pytest.mark.parametrize(("title", "expected"), SERVING)
def test_a_title_names_the_user_and_the_terminals(title: str, expected: tuple[str, tuple[str, ...]]) -> None:
    assert served(title) == expected


@pytest.mark.parametrize("title", NOBODY)
def test_an_sshd_that_has_let_nobody_in_serves_nobody(title: str) -> None:
    assert served(title) is None


def test_this_process_is_no_sshd() -> None:
    view = look()
    assert view.of(os.getpid()) is None
    assert os.getpid() not in {pid for _, pid in view.foreign}
