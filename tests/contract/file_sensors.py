"""The grounds and the actors of the file sensor contract: private filesystems, a sink, and someone else's hands."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hostseal.ports import FileSensor, RawChange

NEEDS_ROOT = pytest.mark.skipif(
    os.geteuid() != 0 and "CI" not in os.environ, reason="fanotify and mounts need root"
)
"""For people without root; CI has it, or fails."""

DEADLINE = 30.0
LAZILY = ("umount", "--lazy")
"""For the grounds themselves: a test that fails must not leave them mounted."""


class Sink:
    """Remembers; may be held up to let the kernel's queue run over."""

    def __init__(self) -> None:
        self.changes: list[RawChange] = []
        self.losses: list[tuple[str, str, Mapping[str, Any]]] = []
        self.flowing = threading.Event()
        self.flowing.set()
        self.held = threading.Event()
        self._news = threading.Condition()

    def changed(self, change: RawChange) -> None:
        if not self.flowing.is_set():
            self.held.set()
            assert self.flowing.wait(DEADLINE)
        with self._news:
            self.changes.append(change)
            self._news.notify_all()

    def changed_many(self, changes: Sequence[RawChange]) -> None:
        for change in changes:
            self.changed(change)

    def lost(self, cause: str, scope: str, detail: Mapping[str, Any]) -> None:
        with self._news:
            self.losses.append((cause, scope, detail))
            self._news.notify_all()

    def what(self, path: bytes) -> set[str]:
        return {change.what for change in list(self.changes) if change.path == path}

    def causes(self) -> set[str]:
        return {cause for cause, _, _ in list(self.losses)}

    def wait(self, done: Callable[[], bool], seconds: float = DEADLINE) -> bool:
        with self._news:
            return self._news.wait_for(done, seconds)


class Grounds:
    """A place of its own to watch: `etc` and `home/*/.ssh` are watched, `outside` is not."""

    def __init__(self, root: Path) -> None:
        self.root = os.fsencode(root)
        self.etc = self.root + b"/etc"
        self.outside = self.root + b"/outside"
        for directory in (self.etc, self.outside):
            os.makedirs(directory, exist_ok=True)
        self.watch = (f"{root}/etc", f"{root}/home/*/.ssh")
        self.exclude = (f"{root}/etc/cache/*",)

    def do(self, code: str, *arguments: bytes) -> int:
        """Run Python as somebody else: a sensor passes over what its own process writes. Returns the pid."""
        prelude = "import os, sys; a = [os.fsencode(x) for x in sys.argv[1:]]\n"
        command = [sys.executable, "-ISE", "-c", prelude + code]
        with subprocess.Popen([*map(os.fsencode, command), *arguments]) as process:
            assert process.wait(DEADLINE) == 0
            return process.pid


@contextmanager
def running(make: Callable[[], FileSensor], sink: Sink, grounds: Grounds) -> Iterator[FileSensor]:
    """Run a sensor; it is ready once it has seen a probe."""
    sensor, stop = make(), threading.Event()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            sensor.run(sink, stop)
        except BaseException as error:
            failed.append(error)
            raise

    thread = threading.Thread(target=run)
    thread.start()
    try:
        _ready(sink, grounds, thread)
        yield sensor
    finally:
        stop.set()
        sink.flowing.set()
        grounds.do("open(a[0], 'a').close()", grounds.etc + b"/probe")  # it looks at `stop` at once
        thread.join(DEADLINE)
        assert not thread.is_alive()
    assert not failed


def _ready(sink: Sink, grounds: Grounds, thread: threading.Thread) -> None:
    end = time.monotonic() + DEADLINE
    probe = grounds.etc + b"/probe"
    while not sink.what(probe):
        assert time.monotonic() < end
        assert thread.is_alive()
        grounds.do("open(a[0], 'a').close()", probe)
        sink.wait(lambda: bool(sink.what(probe)), 0.2)


@contextmanager
def mounted(*arguments: str, at: Path, unmount: tuple[str, ...] = ("umount",)) -> Iterator[None]:
    """Mount for the time of a test."""
    at.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", *arguments, str(at)], check=True)
    try:
        yield
    finally:
        subprocess.run([*unmount, str(at)], check=True)


@contextmanager
def tmpfs(folder: Path) -> Iterator[Path]:
    """A tmpfs of the test's own."""
    with mounted("-t", "tmpfs", "-o", "mode=0755", "hostseal-test", at=folder / "tmpfs", unmount=LAZILY):
        yield folder / "tmpfs"


@contextmanager
def overlay(folder: Path) -> Iterator[Path]:
    """An overlay as the lab's hosts have one: on a tmpfs of its own, its handles good for open_by_handle_at."""
    with tmpfs(folder) as base:
        for name in ("lower/etc", "upper", "work"):
            (base / name).mkdir(parents=True)
        layers = f"lowerdir={base}/lower,upperdir={base}/upper,workdir={base}/work"
        options = f"index=on,nfs_export=on,{layers}"
        with mounted("-t", "overlay", "-o", options, "hostseal-test", at=folder / "overlay", unmount=LAZILY):
            yield folder / "overlay"


@contextmanager
def plain(folder: Path) -> Iterator[Path]:
    """A directory where the tests run: good enough for inotify, which sees no more than that."""
    place = folder / "plain"
    place.mkdir()
    yield place
    shutil.rmtree(os.fsencode(place))
