"""What an untrusted host prints is taken in bounded: in bytes, and in time."""

import os
import stat
import time
from pathlib import Path

import pytest

from hostseal.errors import LauncherError
from hostseal.launcher import Machine, fetch


def machine(folder: Path, script: str) -> Machine:
    """Return a host whose ssh runs a script here, whatever it is asked."""
    program = folder / "ssh"
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return Machine(
        slot="web-1", generation=1, instance="i", image="sha256:0", name="web-1-g1", address="192.0.2.1",
        state="running", ssh=(str(program),),
    )  # fmt: skip


def test_bytes_come_as_they_are(tmp_path: Path) -> None:
    assert fetch(machine(tmp_path, r"printf 'a\r\n\377\033[31m'"), ["x"], seconds=10, limit=100) == (
        b"a\r\n\xff\x1b[31m",
        False,
    )


def test_an_endless_answer_is_cut_and_its_process_ended(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    content, cut = fetch(machine(tmp_path, f"echo $$ > {pid}; exec yes"), ["x"], seconds=20, limit=1_000_000)
    assert (len(content), cut) == (1_000_000, True)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_a_silent_host_is_given_up(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(LauncherError, match="within 1 s"):
        fetch(machine(tmp_path, "exec sleep 60"), ["x"], seconds=1, limit=100)
    assert time.monotonic() - began < 20


def test_a_status_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LauncherError, match="status 3"):
        fetch(machine(tmp_path, "exit 3"), ["journalctl"], seconds=10, limit=100)
