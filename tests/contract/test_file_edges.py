"""Names, places and ends that are unusual, on both backends."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from contract.file_sensors import DEADLINE, NEEDS_ROOT, Grounds, Sink, mounted, running, tmpfs
from hostseal.clock import SystemClock
from hostseal.config.files import Backend, FilesSettings
from hostseal.ports import FileSensor
from hostseal.sensors.fanotify import FORMS, FanotifySensor
from hostseal.sensors.file_scope import Scope
from hostseal.sensors.file_watch import FileWatch
from hostseal.sensors.inotify import InotifySensor

pytestmark = NEEDS_ROOT
PATH_MAX = 4096
KINDS: dict[str, Callable[[Scope], FileSensor]] = {
    "fanotify": FanotifySensor,
    "fanotify-5.15": lambda scope: FanotifySensor(scope, forms=FORMS[1:]),
    "fanotify-5.9": lambda scope: FanotifySensor(scope, forms=FORMS[2:]),
    "inotify": InotifySensor,
}
WRITE = "open(a[0], 'w').write('x')"
DEEP = (
    "os.chdir(a[0])\nfor n in range(20): os.mkdir('d' * 250); os.chdir('d' * 250)\nopen('f', 'w').write('x')"
)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def grounds(tmp_path: Path) -> Iterator[Grounds]:
    with tmpfs(tmp_path) as root:
        yield Grounds(root)


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def sensor(kind: str, grounds: Grounds, sink: Sink) -> Iterator[FileSensor]:
    with running(lambda: KINDS[kind](Scope(grounds.watch, grounds.exclude)), sink, grounds) as one:
        yield one


def told(grounds: Grounds, sink: Sink, path: bytes) -> None:
    grounds.do(WRITE, path)
    assert sink.wait(lambda: "modified" in sink.what(path)), path


@pytest.mark.usefixtures("sensor")
def test_a_path_longer_than_the_kernel_names_is_told_or_a_loss_where_it_is_watched_and_the_sensor_goes_on(
    grounds: Grounds, sink: Sink
) -> None:
    grounds.do(DEEP, grounds.outside)
    told(grounds, sink, grounds.etc + b"/marker")
    assert sink.losses == []
    grounds.do(DEEP, grounds.etc)
    too_long = {"path_too_long", "directory_not_watched", "directory_not_read"}
    assert sink.wait(
        lambda: bool(sink.causes() & too_long) or any(len(c.path) > PATH_MAX for c in sink.changes)
    )
    assert all(scope.startswith(os.fsdecode(grounds.etc)) for _, scope, _ in sink.losses)
    told(grounds, sink, grounds.etc + b"/after")


@pytest.mark.usefixtures("sensor")
def test_the_longest_name_and_the_longest_path_there_is_are_told(grounds: Grounds, sink: Sink) -> None:
    top = grounds.etc
    while len(top) + 252 < 4095:
        top += b"/" + b"\xfe" * 250
    path = top + b"/" + b"n" * (4095 - len(top) - 1)
    assert len(path) == 4095
    grounds.do("os.makedirs(a[0])", top)
    told(grounds, sink, path)


@pytest.mark.usefixtures("sensor")
def test_links_that_go_round_in_a_circle_end(grounds: Grounds, sink: Sink) -> None:
    grounds.do(
        "os.makedirs(a[0] + b'/in/d'); os.symlink(b'.', a[0] + b'/in/d/self'); os.symlink(b'..', a[0] + b'/in/d/up')"
        "; os.symlink(b'one', a[0] + b'/in/other'); os.symlink(b'other', a[0] + b'/in/one')"
        "; os.rename(a[0] + b'/in', a[1] + b'/in')",
        grounds.outside,
        grounds.etc,
    )
    told(grounds, sink, grounds.etc + b"/in/d/f")
    assert not [change for change in sink.changes if b"/self/" in change.path or b"/up/" in change.path]


def test_a_tree_mounted_read_only_is_watched_through_where_it_can_be_written(
    kind: str, grounds: Grounds, sink: Sink, tmp_path: Path
) -> None:
    shown = Grounds(tmp_path / "shown")
    with mounted("--bind", "-o", "ro", os.fsdecode(grounds.root), at=tmp_path / "shown"):
        beneath = Grounds(Path(os.fsdecode(grounds.root)))
        beneath.etc = shown.etc  # the probe is seen where it shows
        stop = threading.Event()
        one = KINDS[kind](Scope([f"{tmp_path}/shown/etc"]))
        thread = threading.Thread(target=one.run, args=(sink, stop))
        thread.start()
        try:
            end = time.monotonic() + DEADLINE
            while not sink.wait(lambda: "modified" in sink.what(shown.etc + b"/f"), 0.2):
                assert time.monotonic() < end
                grounds.do(WRITE, grounds.etc + b"/f")
        finally:
            stop.set()
            thread.join(DEADLINE)
    assert not thread.is_alive()


@pytest.mark.usefixtures("sensor")
def test_both_names_of_a_rename_are_tied_where_the_interface_ties_them(
    kind: str, grounds: Grounds, sink: Sink
) -> None:
    one, other, away = grounds.etc + b"/one", grounds.etc + b"/other", grounds.outside + b"/away"
    told(grounds, sink, one)
    grounds.do("os.rename(a[0], a[1])", one, other)
    assert sink.wait(lambda: {"renamed"} <= sink.what(one) and "renamed" in sink.what(other))
    grounds.do("os.rename(a[0], a[1])", other, away)
    assert sink.wait(lambda: sum(c.what == "renamed" for c in sink.changes) == 3)
    ties = [(c.path, c.other) for c in sink.changes if c.what == "renamed"]
    both = [(one, other), (other, one)]
    assert ties == {
        "fanotify": [*both, (other, away)],
        "inotify": [*both, (other, None)],
    }.get(kind, [(one, None), (other, None), (other, None)])


def test_what_became_of_the_records_adds_up(
    sensor: FileSensor, kind: str, grounds: Grounds, sink: Sink
) -> None:
    code = (
        "import shutil; os.makedirs(a[0] + b'/d/e')\n"
        "for n in range(50): [open(b'%s/%d' % (top, n), 'w').write('x') for top in (a[0], a[0] + b'/d/e', a[1])]\n"
        "shutil.rmtree(a[0] + b'/d')"
    )
    grounds.do(code, grounds.etc, grounds.outside)
    told(grounds, sink, grounds.etc + b"/marker")
    end = time.monotonic() + DEADLINE
    while sensor.counts()["handed_on"] != len(sink.changes):
        assert time.monotonic() < end
        time.sleep(0.01)
    counts = sensor.counts()
    assert counts["read"] == sum(counts[p] for p in ("outside", "own", "matched", "waiting", "unplaced"))
    assert counts["matched"] + counts["unplaced"] >= 100
    assert (counts["outside"] >= 50) == kind.startswith("fanotify")
    assert (counts["lost"], counts["overflows"], counts["waiting"]) == (len(sink.losses), 0, 0)


@pytest.mark.parametrize("backend", [Backend.FANOTIFY, Backend.INOTIFY])
def test_a_sensor_that_dies_is_a_loss_and_is_started_again(backend: Backend, grounds: Grounds) -> None:
    events: list[tuple[str, Mapping[str, Any]]] = []
    news = threading.Condition()

    def emit(event_type: str, data: Mapping[str, Any], *, sensor: str, key: str) -> str:
        with news:
            events.append((event_type, data))
            news.notify_all()
        return key

    def wait(done: Callable[[], bool]) -> bool:
        with news:
            return news.wait_for(done, DEADLINE)

    settings = FilesSettings(backend=backend, watch=grounds.watch, exclude=grounds.exclude, quiet_seconds=0.1)
    watch = FileWatch(settings, emit, lambda _: None, lambda _: None, SystemClock())
    stop = threading.Event()
    thread = threading.Thread(target=watch.run, args=(stop,))
    thread.start()
    try:
        marked(grounds, events, wait)
        broken = break_descriptor(backend)
        grounds.do(WRITE, grounds.etc + b"/wakes it")
        assert wait(
            lambda: any(kind == "sensor.lost" and data["cause"] == "sensor_died" for kind, data in events)
        )
        os.close(broken)
        marked(grounds, events, wait)
    finally:
        stop.set()
        thread.join(DEADLINE)
    assert not thread.is_alive()


def marked(
    grounds: Grounds, events: list[tuple[str, Mapping[str, Any]]], wait: Callable[[Any], bool]
) -> None:
    """Write until it is told."""
    end, seen = time.monotonic() + DEADLINE, len(events)
    while not any(kind == "files.changed" for kind, _ in events[seen:]):
        assert time.monotonic() < end
        grounds.do(WRITE, grounds.etc + b"/marker")
        time.sleep(0.05)


def break_descriptor(backend: Backend) -> int:
    """Put something unreadable in the place of the sensor's descriptor; return what it was, to be closed."""
    kind = {"fanotify": "anon_inode:[fanotify]", "inotify": "anon_inode:inotify"}[backend.value]
    found = [int(n) for n in os.listdir("/proc/self/fd") if links_to(f"/proc/self/fd/{n}") == kind]
    descriptor = found[-1]
    kept = os.dup(descriptor)
    reader, writer = os.pipe()
    os.dup2(writer, descriptor)
    os.close(reader)
    os.close(writer)
    return kept


def links_to(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


LIMITED = """
import json, os, sys, threading, time
from pathlib import Path
from contract.file_sensors import Sink
from hostseal.sensors import inotify
from hostseal.sensors.file_scope import Scope

limit, root = Path("/proc/sys/user/max_inotify_watches"), os.fsencode(sys.argv[1])
limit.write_text("12")
inotify.RETRY_SECONDS = 0.2
sink, stop = Sink(), threading.Event()
thread = threading.Thread(target=inotify.InotifySensor(Scope([sys.argv[1] + "/etc"])).run, args=(sink, stop))
thread.start()
assert sink.wait(lambda: "watch_limit" in sink.causes())
first = list(sink.losses)
limit.write_text("10000")
assert sink.wait(lambda: sum("watched_again" in detail for _, _, detail in sink.losses) == len(first))
path = root + b"/etc/3/in"
open(path, "w").close()
assert sink.wait(lambda: bool(sink.what(path)))
stop.set()
thread.join()
print(json.dumps(first))
"""


def test_a_limit_of_watches_is_a_loss_that_says_what_is_not_watched_and_is_tried_again(
    grounds: Grounds,
) -> None:
    names = [b"%s/%d" % (grounds.etc, n) for n in range(20)]
    for name in names:
        os.makedirs(name + b"/below")
    ran = subprocess.run(
        ["unshare", "--user", "--map-root-user", sys.executable, "-c", LIMITED, grounds.root],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        stdout=subprocess.PIPE,
        check=True,
        timeout=DEADLINE,
    )
    losses = json.loads(ran.stdout)
    assert {cause for cause, _, _ in losses} == {"watch_limit"}
    scopes = {os.fsencode(scope) for _, scope, _ in losses}
    assert scopes <= {*names, *(name + b"/below" for name in names)}
    assert all(detail["unwatched"] >= len(scopes) for _, _, detail in losses)
