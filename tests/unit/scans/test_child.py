"""A scan as a process: whatever it does, nothing is concluded without its last line, and none is left behind."""

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from hostseal.config.seal import SealSettings
from hostseal.core.scan_plan import Cause, Job, Outcome, Pace
from hostseal.core.seal_compare import Change, Difference
from hostseal.scans.child import Child, Ended, Summary

JOB = Job(cause=Cause.LOSS, scope=(b"/etc/\xff",))
LAST = '{"done":true,"entries":3,"hashed":2,"cached":1,"unreadable":0,"seconds":0.5}'
FOUND = '{"path":"/etc/a","change":"mode","sealed":"0644","found":"0666"}'


def run(
    script: str, tmp_path: Path, job: Job = JOB, settings: SealSettings | None = None
) -> tuple[Ended, list[Difference], Child]:
    """Run a program in place of `hostseal`; its arguments are those of a scan."""
    child = Child(
        settings or SealSettings(urgent_seconds=10.0), tmp_path / "cache", [sys.executable, "-c", script]
    )
    found: list[Difference] = []
    ticks: list[float] = []
    ended = child.run(job, found.extend, lambda: ticks.append(time.monotonic()), threading.Event())
    assert child.pid is None
    return ended, found, child


def test_differences_come_as_they_are_found_and_the_last_line_ends_it(tmp_path: Path) -> None:
    lines = f'{{"image":"sha256:1","entries":3}}\n{FOUND}\n{{"progress":2}}\n{LAST}'
    ended, found, _ = run(f"print({lines!r})", tmp_path)
    assert ended == Ended(
        outcome=Outcome.DONE,
        summary=Summary(done=True, entries=3, hashed=2, cached=1, unreadable=0, seconds=0.5),
    )
    assert found == [Difference(path="/etc/a", change=Change.MODE, sealed="0644", found="0666")]


def test_it_is_asked_for_the_scope_and_the_newest_first(tmp_path: Path) -> None:
    script = f"import sys,os; open({str(tmp_path / 'said')!r},'wb').write(b'\\n'.join(map(os.fsencode,sys.argv[1:]))); print({LAST!r})"
    run(script, tmp_path)
    said = (tmp_path / "said").read_bytes().split(b"\n")
    assert said[:4] == [b"seal", b"scan", b"--json-lines", b"--newest-first"]
    assert said[-2:] == [b"--scope", b"/etc/\xff"]
    assert b"--idle" not in said
    run(script, tmp_path, Job(cause=Cause.START, scope=(b"/",), pace=Pace.REST))
    said = (tmp_path / "said").read_bytes().split(b"\n")
    assert b"--idle" in said
    assert b"--scope" not in said


@pytest.mark.parametrize(
    ("script", "why"),
    [
        pytest.param(f"print({FOUND!r})", "status 0 and said: nothing", id="no last line"),
        pytest.param("import sys; sys.exit('the manifest is cut')", "the manifest is cut", id="an error"),
        pytest.param(f"print({LAST!r}); raise SystemExit(3)", "status 3", id="a bad end after the last line"),
        pytest.param("import os; os.kill(os.getpid(), 9)", "status -9", id="killed"),
        pytest.param("print('nonsense')", "is not understood", id="no JSON"),
        pytest.param("print('x' * 3_000_000)", "a line without an end", id="a line without an end"),
        pytest.param("""print('{"path":"/a","change":"eaten"}')""", "is not understood", id="no difference"),
    ],
)
def test_without_its_last_line_nothing_was_found_out(script: str, why: str, tmp_path: Path) -> None:
    ended, _, _ = run(script, tmp_path)
    assert (ended.outcome, ended.summary) == (Outcome.FAILED, None)
    assert why in ended.why


def test_a_program_that_is_not_there_fails(tmp_path: Path) -> None:
    child = Child(SealSettings(), tmp_path / "cache", ["/nowhere/hostseal"])
    ended = child.run(JOB, lambda _: None, lambda: None, threading.Event())
    assert ended.outcome is Outcome.FAILED
    assert "cannot be started" in ended.why


def test_one_over_its_time_is_killed_with_all_it_started(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys, time\n"
        f"other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(other.pid))\n"
        f"print({FOUND!r}, flush=True); time.sleep(600)"
    )
    ended, found, _ = run(script, tmp_path, settings=SealSettings(urgent_seconds=2.0))
    assert (ended.outcome, len(found)) == (Outcome.LATE, 1)
    pid, deadline = int((tmp_path / "pid").read_text()), time.monotonic() + 10
    while _runs(pid):
        assert time.monotonic() < deadline, "what it started runs on"
        time.sleep(0.05)


def test_it_ends_with_the_agent(tmp_path: Path) -> None:
    child = Child(SealSettings(), tmp_path / "cache", [sys.executable, "-c", "import time; time.sleep(600)"])
    stop = threading.Event()
    stop.set()
    began = time.monotonic()
    assert child.run(JOB, lambda _: None, lambda: None, stop).why == "the agent stops"
    assert time.monotonic() - began < 10


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z" and os.path.exists(f"/proc/{pid}")
