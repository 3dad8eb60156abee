"""What /proc says of real processes."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hostseal.core.interactive import Stdin
from hostseal.sensors.proc_table import line_of, process_of, processes


@contextmanager
def running(*argv: str, **options: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """A child that runs its program. Popen returns a moment before the kernel shows the arguments."""
    with subprocess.Popen(argv, **options) as child:
        while not Path(f"/proc/{child.pid}/cmdline").read_bytes():
            pass
        yield child
        child.kill()


def test_a_process_as_it_is() -> None:
    with running("sleep", "60", stdin=subprocess.DEVNULL) as child:
        found = process_of(child.pid)
    assert found is not None
    assert (found.pid, found.parent, found.argv) == (child.pid, os.getpid(), ("sleep", "60"))
    assert (found.uid, found.effective_uid, found.stdin) == (os.getuid(), os.geteuid(), Stdin.OTHER)
    assert found.exe is not None
    assert Path(found.exe).name == "sleep"


def test_the_executable_is_told_by_the_file_and_not_by_the_first_argument() -> None:
    with subprocess.Popen(["bash", "-i"], executable="/bin/sleep", stdin=subprocess.DEVNULL) as child:
        child.wait()
    with running("an innocent name", "60", executable="/bin/sleep") as child:
        found = process_of(child.pid)
    assert found is not None
    assert found.exe is not None
    assert Path(found.exe).name == "sleep"
    assert found.argv[0] == "an innocent name"


def test_standard_input_is_what_it_is(tmp_path: Path) -> None:
    named = tmp_path / "fifo"
    os.mkfifo(named)
    fifo = os.open(named, os.O_RDWR)
    ours, theirs = socket.socketpair()
    controller, terminal = os.openpty()
    try:
        for source, kind in (
            (subprocess.PIPE, Stdin.PIPE),
            (fifo, Stdin.PIPE),
            (theirs.fileno(), Stdin.SOCKET),
            (terminal, Stdin.TTY),
            (subprocess.DEVNULL, Stdin.OTHER),
        ):
            with running("sleep", "60", stdin=source) as child:
                found = process_of(child.pid)
            assert found is not None
            assert found.stdin is kind
    finally:
        for descriptor in (fifo, controller, terminal):
            os.close(descriptor)
        ours.close()
        theirs.close()


def test_two_ends_of_one_pipe_have_one_name() -> None:
    with running("sleep", "60", stdin=subprocess.PIPE) as child:
        assert child.stdin is not None
        found = process_of(child.pid)
        ours = os.fstat(child.stdin.fileno())
    assert found is not None
    assert found.channel == f"{ours.st_dev}:{ours.st_ino}"


def test_a_process_that_has_ended_or_never_was_is_none() -> None:
    with subprocess.Popen(["true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert process_of(child.pid) is None
    assert process_of(2**22 + 7) is None


def test_a_first_argument_that_is_empty_is_there() -> None:
    with running("", "60", executable="/bin/sleep") as child:
        found = process_of(child.pid)
    assert found is not None
    assert found.argv == ("", "60")


def test_a_line_leads_up_within_the_audit_session() -> None:
    with running(sys.executable, "-c", "import subprocess; subprocess.run(['sleep', '60'])") as child:
        below: list[str] = []
        while not below:
            below = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text("ascii").split()
        line = line_of(int(below[0]))
        subprocess.run(["kill", below[0]], check=True)
    assert list(line)[:3] == [int(below[0]), child.pid, os.getpid()]


@pytest.mark.skipif(
    os.geteuid() != 0 and "CI" not in os.environ, reason="beginning an audit session takes root"
)
def test_only_the_processes_of_the_sessions_that_are_asked_for() -> None:
    begin = "import os; open('/proc/self/loginuid','w').write('4242'); print(open('/proc/self/sessionid').read(), flush=True)"
    with running(
        sys.executable, "-c", f"{begin}; input()", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        audit = int(child.stdout.readline())
        found = processes({audit})
        none = processes({audit + 100_000})
    assert (list(found), none) == ([child.pid], {})
    assert (found[child.pid].audit_session, found[child.pid].login_uid) == (audit, 4242)
