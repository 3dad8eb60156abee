"""Busy directories outside are left out by the kernel, and nothing watched is hidden by that."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.file_sensors import NEEDS_ROOT, Grounds, Sink, mounted, running, tmpfs
from hostseal.ports import FileSensor
from hostseal.sensors import fanotify_noise
from hostseal.sensors.fanotify import FanotifySensor
from hostseal.sensors.file_scope import Scope

pytestmark = NEEDS_ROOT
BUSY = 50
RUSH = "for n in range(400): open(a[0] + b'/log', 'ab').write(b'x'); os.sched_yield()"
WRITE = "open(a[0], 'ab').write(b'more')"


@pytest.fixture(autouse=True)
def soon_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanotify_noise, "BUSY_RECORDS", BUSY)


@pytest.fixture
def grounds(tmp_path: Path) -> Iterator[Grounds]:
    with tmpfs(tmp_path) as root:
        yield Grounds(root)


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def sensor(grounds: Grounds, sink: Sink) -> Iterator[FileSensor]:
    with running(lambda: FanotifySensor(Scope(grounds.watch, grounds.exclude)), sink, grounds) as one:
        yield one


@pytest.fixture
def log(grounds: Grounds, sensor: FileSensor, sink: Sink) -> bytes:
    """A directory outside that is ignored: what is written there is no longer read."""
    folder = grounds.outside + b"/log"
    grounds.do("os.mkdir(a[0]); open(a[0] + b'/log', 'w'); open(a[1], 'w')", folder, grounds.etc + b"/sealed")
    for _ in range(100):
        if read_while(sensor, sink, grounds, folder) < BUSY // 2:
            return folder
    pytest.fail("a busy directory is never ignored")


def read_while(sensor: FileSensor, sink: Sink, grounds: Grounds, folder: bytes) -> int:
    """Return how many records were read for 400 writes in a directory."""
    seen(grounds, sink, grounds.etc + b"/before")
    before = sensor.counts()["read"]
    grounds.do(RUSH, folder)
    seen(grounds, sink, grounds.etc + b"/after")
    return sensor.counts()["read"] - before


def seen(grounds: Grounds, sink: Sink, path: bytes) -> None:
    """Write a watched file, and wait until that is told."""
    sink.changes.clear()
    grounds.do(WRITE, path)
    assert sink.wait(lambda: "modified" in sink.what(path)), path


def test_what_is_watched_is_told_as_before(grounds: Grounds, sink: Sink, log: bytes) -> None:
    seen(grounds, sink, grounds.etc + b"/sealed")


def test_a_sealed_file_linked_into_an_ignored_directory_is_seen_by_that_name(
    grounds: Grounds, sink: Sink, log: bytes
) -> None:
    sealed = grounds.etc + b"/sealed"
    sink.changes.clear()
    grounds.do("os.link(a[0], a[1]); open(a[1], 'ab').write(b'at once')", sealed, log + b"/link")
    assert sink.wait(lambda: bool(sink.what(sealed)))
    sink.changes.clear()
    grounds.do(WRITE, log + b"/link")
    assert sink.wait(lambda: "modified" in sink.what(sealed))


def test_a_file_of_an_ignored_directory_linked_into_a_sealed_one_is_seen_by_the_old_name(
    grounds: Grounds, sink: Sink, log: bytes
) -> None:
    new = grounds.etc + b"/new"
    grounds.do("open(a[0], 'w'); os.link(a[0], a[1])", log + b"/file", new)
    assert sink.wait(lambda: "created" in sink.what(new))
    sink.changes.clear()
    grounds.do(WRITE, log + b"/file")
    assert sink.wait(lambda: "modified" in sink.what(new))


def test_a_link_of_a_sealed_file_renamed_into_an_ignored_directory_is_seen(
    grounds: Grounds, sink: Sink, log: bytes
) -> None:
    sealed = grounds.etc + b"/sealed"
    grounds.do("os.link(a[0], a[1])", sealed, grounds.outside + b"/link")
    assert read_until_ignored(grounds, log)
    sink.changes.clear()
    grounds.do(
        "os.rename(a[0], a[1]); open(a[1], 'ab').write(b'x')", grounds.outside + b"/link", log + b"/link"
    )
    assert sink.wait(lambda: bool(sink.what(sealed)))
    sink.changes.clear()
    grounds.do(WRITE, log + b"/link")
    assert sink.wait(lambda: "modified" in sink.what(sealed))


def read_until_ignored(grounds: Grounds, folder: bytes) -> bool:
    for _ in range(20):
        grounds.do(RUSH, folder)
    return True


@pytest.mark.parametrize("above", [False, True])
def test_an_ignored_directory_moved_into_a_sealed_one_is_seen(
    grounds: Grounds, sink: Sink, log: bytes, above: bool
) -> None:
    moved, there = (grounds.outside, b"/log/log") if above else (log, b"/log")
    grounds.do("os.rename(a[0], a[1])", moved, grounds.etc + b"/moved")
    assert sink.wait(lambda: "renamed" in sink.what(grounds.etc + b"/moved" + there))
    seen(grounds, sink, grounds.etc + b"/moved" + there)


def test_an_ignored_directory_mounted_over_a_sealed_one_is_seen(
    grounds: Grounds, sink: Sink, log: bytes
) -> None:
    over = grounds.etc + b"/over"
    grounds.do("os.mkdir(a[0])", over)
    with mounted("--bind", os.fsdecode(log), at=Path(os.fsdecode(over))):
        assert sink.wait(lambda: ("mounts_changed", os.fsdecode(over)) in [loss[:2] for loss in sink.losses])
        seen(grounds, sink, over + b"/log")


def test_programs_that_are_begun_in_an_ignored_directory_still_name_their_writers(
    grounds: Grounds, sink: Sink, log: bytes
) -> None:
    path = grounds.etc + b"/written"
    code = (
        "import shutil, subprocess; shutil.copy('/bin/sh', a[0] + b'/prog')"
        "; subprocess.run([a[0] + b'/prog', '-c', 'echo > \"$0\"', a[1]], check=True)"
    )
    grounds.do(code, log, path)
    assert sink.wait(lambda: "modified" in sink.what(path))
    exes = {change.process.exe for change in sink.changes if change.path == path and change.process}
    assert exes == {os.fsdecode(log + b"/prog")}
