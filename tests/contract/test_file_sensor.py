"""What every file sensor does, whatever the kernel interface under it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contract.file_sensors import DEADLINE, NEEDS_ROOT, Grounds, Sink, mounted, overlay, plain, running, tmpfs
from hostseal.core.attribution import Proof, TracedChange
from hostseal.ports import FileSensor
from hostseal.sensors.fanotify import FanotifySensor
from hostseal.sensors.file_scope import Scope
from hostseal.sensors.inotify import InotifySensor

QUEUE = int(Path("/proc/sys/fs/fanotify/max_queued_events").read_text("ascii"))
INOTIFY_QUEUE = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text("ascii"))
KINDS = {
    "fanotify-tmpfs": (FanotifySensor, tmpfs),
    "fanotify-overlay": (FanotifySensor, overlay),
    "inotify-tmpfs": (InotifySensor, tmpfs),
    "inotify-plain": (InotifySensor, plain),
}
Make = Callable[[], FileSensor]
WRITE = "open(a[0], 'w').write('x')"


@pytest.fixture(params=[pytest.param(k, marks=() if k == "inotify-plain" else NEEDS_ROOT) for k in KINDS])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def grounds(kind: str, tmp_path: Path) -> Iterator[Grounds]:
    with KINDS[kind][1](tmp_path) as root:
        yield Grounds(root)


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def make(kind: str, grounds: Grounds) -> Make:
    return lambda: KINDS[kind][0](Scope(grounds.watch, grounds.exclude))


@pytest.fixture
def sensor(make: Make, sink: Sink, grounds: Grounds) -> Iterator[FileSensor]:
    with running(make, sink, grounds) as one:
        yield one
    assert sink.losses == [] or sink.causes() <= {"mounts_changed", "queue_overflow", "unmounted"}


pytestmark = pytest.mark.usefixtures("sensor")


def test_what_happens_to_a_file_is_told(grounds: Grounds, sink: Sink) -> None:
    a, b = grounds.etc + b"/a", grounds.etc + b"/b"
    grounds.do(WRITE + "; os.chmod(a[0], 0o600); os.rename(a[0], a[1]); os.unlink(a[1])", a, b)
    assert sink.wait(lambda: "deleted" in sink.what(b))
    assert sink.what(a) == {"created", "modified", "attributes", "renamed"}
    assert sink.what(b) >= {"renamed", "deleted"}


def test_everything_in_a_fresh_tree_is_told(grounds: Grounds, sink: Sink) -> None:
    code = (
        "d = a[0] + b'/a/b/c'; os.makedirs(d)\nfor n in range(300): open(b'%s/%d' % (d, n), 'w').write('x')"
    )
    grounds.do(code, grounds.etc)
    files = [b"%s/a/b/c/%d" % (grounds.etc, n) for n in range(300)]
    assert sink.wait(lambda: {c.path for c in sink.changes} >= set(files))
    grounds.do(WRITE, files[7] + b".later")
    assert sink.wait(lambda: "modified" in sink.what(files[7] + b".later"))


def test_names_stay_the_bytes_they_are(grounds: Grounds, sink: Sink) -> None:
    for name in (b"new\nline", b"\xff\xfe", b"{{ 7*6 }}", b"esc\x1b[2J", b"quote'\"", b" ", b"a (deleted)"):
        directory = grounds.etc + b"/d" + name
        grounds.do("os.mkdir(a[0])", directory)
        assert sink.wait(lambda path=directory: "created" in sink.what(path)), directory
        grounds.do(WRITE, directory + b"/" + name)
        assert sink.wait(lambda path=directory + b"/" + name: bool(sink.what(path))), name
    grounds.do(WRITE, grounds.etc + b"/after")
    assert sink.wait(lambda: bool(sink.what(grounds.etc + b"/after")))


def test_a_directory_moved_in_is_told_with_what_is_in_it(grounds: Grounds, sink: Sink) -> None:
    grounds.do("os.makedirs(a[0] + b'/d/e'); open(a[0] + b'/d/e/f', 'w')", grounds.outside)
    grounds.do("os.rename(a[0], a[1])", grounds.outside + b"/d", grounds.etc + b"/d")
    assert sink.wait(lambda: "renamed" in sink.what(grounds.etc + b"/d/e/f"))
    grounds.do(WRITE, grounds.etc + b"/d/e/later")
    assert sink.wait(lambda: "modified" in sink.what(grounds.etc + b"/d/e/later"))


def test_a_directory_renamed_is_followed(grounds: Grounds, sink: Sink) -> None:
    grounds.do("os.makedirs(a[0] + b'/d/e')", grounds.etc)
    grounds.do(WRITE, grounds.etc + b"/d/e/before")
    assert sink.wait(lambda: bool(sink.what(grounds.etc + b"/d/e/before")))
    grounds.do("os.rename(a[0] + b'/d', a[0] + b'/n')", grounds.etc)
    grounds.do(WRITE, grounds.etc + b"/n/e/after")
    assert sink.wait(lambda: "modified" in sink.what(grounds.etc + b"/n/e/after"))
    assert not sink.what(grounds.etc + b"/d/e/after")


def test_a_directory_moved_out_is_no_longer_told_of(grounds: Grounds, sink: Sink) -> None:
    grounds.do("os.makedirs(a[0] + b'/d/e')", grounds.etc)
    assert sink.wait(lambda: bool(sink.what(grounds.etc + b"/d/e")))
    grounds.do("os.rename(a[0], a[1])", grounds.etc + b"/d", grounds.outside + b"/d")
    grounds.do(WRITE, grounds.outside + b"/d/e/secret")
    grounds.do(WRITE, grounds.etc + b"/marker")
    assert sink.wait(lambda: "modified" in sink.what(grounds.etc + b"/marker"))
    assert "renamed" in sink.what(grounds.etc + b"/d")
    assert not [change for change in sink.changes if change.path.endswith(b"secret")]


def test_a_removed_tree_is_told(grounds: Grounds, sink: Sink) -> None:
    grounds.do("os.makedirs(a[0] + b'/d/e'); open(a[0] + b'/d/e/f', 'w')", grounds.etc)
    grounds.do("import shutil; shutil.rmtree(a[0])", grounds.etc + b"/d")
    assert sink.wait(lambda: "deleted" in sink.what(grounds.etc + b"/d"))
    assert "deleted" in sink.what(grounds.etc + b"/d/e/f")


def test_only_what_is_watched_and_not_excluded_is_told(grounds: Grounds, sink: Sink) -> None:
    grounds.do("os.mkdir(a[0]); open(a[0] + b'/x', 'w')", grounds.etc + b"/cache")
    grounds.do(WRITE, grounds.outside + b"/x")
    grounds.do(WRITE, grounds.etc + b"/marker")
    assert sink.wait(lambda: "modified" in sink.what(grounds.etc + b"/marker"))
    told = {change.path for change in sink.changes}
    assert told <= {grounds.etc + n for n in (b"/cache", b"/marker", b"/probe")}


def test_a_match_that_comes_to_be_later_is_watched(grounds: Grounds, sink: Sink) -> None:
    ssh = grounds.root + b"/home/bob/.ssh"
    grounds.do("os.makedirs(a[0])", ssh)
    assert sink.wait(lambda: bool(sink.what(ssh)))
    grounds.do(WRITE, ssh + b"/authorized_keys")
    assert sink.wait(lambda: "modified" in sink.what(ssh + b"/authorized_keys"))
    grounds.do("os.makedirs(a[0] + b'/new/.ssh'); open(a[0] + b'/new/.ssh/k', 'w')", grounds.outside)
    grounds.do("os.rename(a[0], a[1])", grounds.outside + b"/new", grounds.root + b"/home/eve")
    assert sink.wait(lambda: bool(sink.what(grounds.root + b"/home/eve/.ssh/k")))


@NEEDS_ROOT
def test_a_mount_over_a_watched_directory_is_a_loss_and_what_is_in_it_is_watched(
    grounds: Grounds, sink: Sink
) -> None:
    over = grounds.etc + b"/over"
    grounds.do("os.mkdir(a[0])", over)
    with mounted("-t", "tmpfs", "hostseal-test", at=Path(os.fsdecode(over))):
        assert sink.wait(lambda: ("mounts_changed", os.fsdecode(over)) in [loss[:2] for loss in sink.losses])
        grounds.do(WRITE, over + b"/x")
        assert sink.wait(lambda: "modified" in sink.what(over + b"/x"))
    assert sink.wait(lambda: sum(loss[0] == "mounts_changed" for loss in sink.losses) >= 2)


def flood(kind: str, grounds: Grounds) -> tuple[str, bytes]:
    """inotify merges what is alike and adjacent, fanotify all that is of one object: the cheapest ways past that."""
    if kind.startswith("inotify"):
        return (
            f"for n in range({INOTIFY_QUEUE + 100}): os.chmod(a[0] + (b'', b'/probe')[n % 2], 0o755)",
            grounds.etc,
        )
    return f"for n in range({QUEUE + 2_000}): open(b'%s/%d' % (a[0], n), 'w')", grounds.etc


def test_a_queue_that_runs_over_is_a_loss_and_the_sensor_goes_on(
    grounds: Grounds, sink: Sink, kind: str
) -> None:
    sink.flowing.clear()
    grounds.do(WRITE, grounds.etc + b"/first")
    assert sink.held.wait(DEADLINE)
    grounds.do(*flood(kind, grounds))
    sink.flowing.set()
    assert sink.wait(lambda: "queue_overflow" in sink.causes())
    grounds.do(WRITE, grounds.etc + b"/later")
    assert sink.wait(lambda: "modified" in sink.what(grounds.etc + b"/later"))


def test_the_writer_is_named_where_the_interface_can(grounds: Grounds, sink: Sink, kind: str) -> None:
    path = grounds.etc + b"/a"
    pid = grounds.do(WRITE + "\nimport select; select.select([], [], [], 1.0)", path)
    assert sink.wait(lambda: "modified" in sink.what(path))
    processes = {c.process for c in sink.changes if c.path == path and isinstance(c, TracedChange)}
    if kind.startswith("inotify"):
        assert processes == set()
        return
    (process,) = processes
    assert process is not None
    assert (process.pid, process.proof, process.uid) == (pid, Proof.ALIVE, 0)
    assert process.exe is not None
    assert "python" in process.exe


def test_what_the_agent_itself_writes_is_told_by_nobody_or_without_a_writer(
    grounds: Grounds, sink: Sink, kind: str
) -> None:
    with open(grounds.etc + b"/own", "w"):
        pass
    grounds.do(WRITE, grounds.etc + b"/marker")
    assert sink.wait(lambda: "modified" in sink.what(grounds.etc + b"/marker"))
    assert bool(sink.what(grounds.etc + b"/own")) == kind.startswith("inotify")


@NEEDS_ROOT
def test_a_bind_mount_elsewhere_is_no_way_around(grounds: Grounds, sink: Sink, tmp_path: Path) -> None:
    with mounted("--bind", os.fsdecode(grounds.etc), at=tmp_path / "elsewhere"):
        grounds.do(WRITE, os.fsencode(tmp_path) + b"/elsewhere/x")
        assert sink.wait(lambda: "modified" in sink.what(grounds.etc + b"/x"))


def test_a_hard_link_elsewhere_is_no_way_around_where_the_interface_sees_it(
    grounds: Grounds, sink: Sink, kind: str
) -> None:
    sealed, link = grounds.etc + b"/sealed", grounds.outside + b"/link"
    grounds.do(WRITE, sealed)
    assert sink.wait(lambda: "modified" in sink.what(sealed))
    grounds.do("os.link(a[0], a[1])", sealed, link)
    before = len([c for c in sink.changes if c.path == sealed and c.what == "modified"])
    grounds.do("open(a[0], 'a').write('more'); os.chmod(a[0], 0o600)", link)
    grounds.do(WRITE, grounds.etc + b"/marker")
    assert sink.wait(lambda: "modified" in sink.what(grounds.etc + b"/marker"))
    after = len([c for c in sink.changes if c.path == sealed and c.what == "modified"])
    assert (after > before) == kind.startswith("fanotify")
