"""Facts by pid: fresh ones are exact, older ones are joined."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from hostseal.core.attribution import ProcessFacts, Proof, with_role
from hostseal.core.roles import NONE, Given, Process, Role
from hostseal.core.units import unit_of
from hostseal.sensors.file_writer import JOIN_SECONDS, Writers
from hostseal.sensors.pid_reuse import FRESH_SECONDS, PidCircle, forks, pids
from hostseal.sensors.proc import Proc


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


def upgrading(pid: int, exe: str) -> ProcessFacts:
    """Return the facts of a process of root's in a unit that upgrades the host."""
    line = (Process(pid=pid, exe=exe, uid=0, genuine=True),)
    unit = unit_of("/system.slice/upgrade.service")
    return with_role(
        ProcessFacts(pid=pid, proof=Proof.ALIVE, exe=exe, uid=0, unit=unit, proves=True, line=line)
    )


def test_who_writes_and_then_becomes_a_package_manager_was_none(child: subprocess.Popen[bytes]) -> None:
    now = [upgrading(child.pid, "/usr/sbin/evil")]
    writers, pidfd = Writers(lambda _: now[0]), os.pidfd_open(child.pid)
    writers.executed(child.pid, pidfd, "/usr/sbin/evil")
    now[0] = upgrading(child.pid, "/usr/bin/dpkg")
    assert now[0].given == Given(Role.PACKAGE_MANAGER)
    facts = writers.facts(child.pid, pidfd)
    assert facts is not None
    assert (facts.exe, facts.proof, facts.given) == ("/usr/sbin/evil", Proof.JOINED, NONE)
    writers.executed(child.pid, pidfd, "/usr/bin/dpkg")
    facts = writers.facts(child.pid, pidfd)
    os.close(pidfd)
    assert facts is not None
    assert (facts.exe, facts.proof, facts.given) == (
        "/usr/bin/dpkg",
        Proof.ALIVE,
        Given(Role.PACKAGE_MANAGER),
    )


def test_a_program_of_which_there_are_no_records_is_named_but_not_sure(
    child: subprocess.Popen[bytes],
) -> None:
    now = [upgrading(child.pid, "/usr/bin/dpkg")]
    writers, pidfd = Writers(lambda _: now[0]), os.pidfd_open(child.pid)
    writers.executed(child.pid, pidfd, "/usr/bin/dpkg")
    now[0] = upgrading(child.pid, "/tmp/tool")
    facts = writers.facts(child.pid, pidfd)
    os.close(pidfd)
    assert facts is not None
    assert (facts.exe, facts.proof, facts.given) == ("/tmp/tool", Proof.JOINED, NONE)


def test_a_record_made_of_a_living_process_keeps_its_role_and_is_inferred(
    child: subprocess.Popen[bytes],
) -> None:
    writers, pidfd = Writers(lambda pid: upgrading(pid, "/usr/bin/dash")), os.pidfd_open(child.pid)
    writers.executed(child.pid, pidfd, "/usr/bin/dpkg")
    os.close(pidfd)
    facts = writers.facts(child.pid, -1)
    assert facts is not None
    assert (facts.exe, facts.proof, facts.given) == (
        "/usr/bin/dpkg",
        Proof.JOINED,
        Given(Role.PACKAGE_MANAGER),
    )


def test_a_record_does_not_stand_for_a_pid_that_may_have_been_given_again() -> None:
    now, begun = [0.0], [1000]
    circle = PidCircle(lambda: begun[0], size=32_768, clock=lambda: now[0])
    writers = Writers(lambda _: None, clock=lambda: now[0], circle=circle)
    writers.executed(7, -1, "/usr/bin/sed")
    now[0] += FRESH_SECONDS + 0.1
    begun[0] += 32_768 // 2 - 1
    assert writers.facts(7, -1) is not None
    now[0] += FRESH_SECONDS + 0.1
    begun[0] += 1
    assert writers.facts(7, -1) is None


def test_the_kernels_own_counts() -> None:
    before = forks()
    subprocess.run(["true"], check=True)
    assert forks() > before > 0
    assert pids() >= 301


def test_a_pid_that_was_taken_over_is_the_new_processs() -> None:
    """In a pid namespace of its own, where the next pid may be chosen: the kernel itself gives the pid again."""
    own_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    done = subprocess.run(
        ["unshare", *own_root, "--pid", "--fork", "--mount-proc", sys.executable, "-c", TAKES_OVER],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    old, new, joined = done.stdout.splitlines()
    assert old == new, "the same pid"
    assert joined == "alive python3"


TAKES_OVER = """
import os, signal, subprocess, time
from pathlib import Path
from hostseal.sensors.file_writer import Writers

writers = Writers()
first = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
pidfd = os.pidfd_open(first.pid)
writers.executed(first.pid, pidfd, "/usr/bin/cat")
first.kill(); first.wait()
tick = time.clock_gettime(time.CLOCK_BOOTTIME) // 0.01
while time.clock_gettime(time.CLOCK_BOOTTIME) // 0.01 < tick + 2:
    pass  # in one tick of the kernel's clock two processes are not told apart by their start
assert writers.facts(first.pid, pidfd).proof == "joined", "its pidfd tells that it is gone"
Path("/proc/sys/kernel/ns_last_pid").write_text(str(first.pid - 1))
second = os.fork()
if second == 0:
    signal.pause()
assert writers.facts(second, pidfd).exe == "/usr/bin/cat", "the old pidfd is not of the new process"
writers.next_batch()
found = writers.facts(second, os.pidfd_open(second))
print(first.pid)
print(second)
print(found.proof, "python3" if "python3" in found.exe else found.exe)
os.kill(second, signal.SIGKILL)
"""


def test_of_a_service_it_reads_those_above_it_and_of_others_not() -> None:
    facts = Proc().facts(os.getpid())
    assert facts is not None
    assert (facts.pid, facts.proof, facts.uid) == (os.getpid(), Proof.ALIVE, os.geteuid())
    assert bool(facts.line) == (facts.unit is not None and not facts.unit.name.endswith(".scope"))
