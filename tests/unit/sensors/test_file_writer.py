"""Facts by pid: fresh ones are exact, older ones are joined."""

import os
import subprocess
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from hostseal.core.attribution import ProcessFacts, Proof
from hostseal.sensors.file_writer import JOIN_SECONDS, Writers


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_a_living_process_is_exact(child: subprocess.Popen[bytes]) -> None:
    pidfd = os.pidfd_open(child.pid)
    facts = Writers().facts(child.pid, pidfd)
    os.close(pidfd)
    assert facts is not None
    assert (facts.pid, facts.proof, facts.uid) == (child.pid, Proof.ALIVE, os.geteuid())
    assert facts.exe is not None


def test_a_process_that_is_gone_is_joined_to_its_exec_record(child: subprocess.Popen[bytes]) -> None:
    writers, pidfd = Writers(), os.pidfd_open(child.pid)
    writers.executed(child.pid, pidfd, "/usr/bin/made-up")
    os.close(pidfd)
    facts = writers.facts(child.pid, -1)
    assert facts is not None
    assert (facts.exe, facts.proof, facts.uid) == ("/usr/bin/made-up", Proof.JOINED, os.geteuid())


def test_a_process_reaped_while_it_was_read_is_not_believed(child: subprocess.Popen[bytes]) -> None:
    pidfd = os.pidfd_open(child.pid)
    child.kill()
    child.wait()
    other = ProcessFacts(pid=child.pid, proof=Proof.ALIVE, exe="/the/pid/was/taken/over")
    assert Writers(lambda _: other).facts(child.pid, pidfd) is None
    os.close(pidfd)


def test_a_zombie_keeps_its_ids_and_its_executable_is_inferred(child: subprocess.Popen[bytes]) -> None:
    zombie = ProcessFacts(pid=child.pid, proof=Proof.ALIVE, audit_session=12)
    writers, pidfd = Writers(lambda _: zombie), os.pidfd_open(child.pid)
    assert writers.facts(child.pid, pidfd) == zombie
    writers.executed(child.pid, -1, "/usr/bin/sed")
    assert writers.facts(child.pid, pidfd) == replace(zombie, exe="/usr/bin/sed", proof=Proof.JOINED)
    os.close(pidfd)


def test_one_batch_reads_a_process_once_and_the_next_again(child: subprocess.Popen[bytes]) -> None:
    reads: list[int] = []

    def read(pid: int) -> ProcessFacts:
        reads.append(pid)
        return ProcessFacts(pid=pid, proof=Proof.ALIVE, exe="/x")

    writers, pidfd = Writers(read), os.pidfd_open(child.pid)
    for _ in range(3):
        writers.facts(child.pid, pidfd)
    writers.next_batch()
    writers.facts(child.pid, pidfd)
    os.close(pidfd)
    assert len(reads) == 2


def test_a_record_does_not_stand_for_a_pid_for_ever() -> None:
    now = [0.0]
    writers = Writers(lambda _: None, clock=lambda: now[0])
    writers.executed(7, -1, "/usr/bin/sed")
    now[0] = JOIN_SECONDS
    assert writers.facts(7, -1) is not None
    now[0] += 0.1
    assert writers.facts(7, -1) is None


def test_the_table_of_records_is_bounded() -> None:
    writers = Writers(lambda _: None, capacity=2)
    for pid in (1, 2, 3):
        writers.executed(pid, -1, f"/{pid}")
    assert [writers.facts(pid, -1) is not None for pid in (1, 2, 3)] == [False, True, True]
