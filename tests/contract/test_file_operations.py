"""Whatever is done to files in whatever order: who looks where a sensor says knows all that has changed."""

import itertools
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from contract.file_sensors import DEADLINE, NEEDS_ROOT, Sink, overlay, tmpfs
from contract.file_world import Hands, Observer
from hostseal.ports import FileSensor
from hostseal.sensors import fanotify_links, file_unclosed
from hostseal.sensors.fanotify import FORMS, FanotifySensor
from hostseal.sensors.file_scope import Scope
from hostseal.sensors.inotify import InotifySensor

pytestmark = NEEDS_ROOT
NUMBERS = st.integers(0, 2**16)
NAMES = st.sampled_from([b"a", b"b", b".ssh", b"\xff \n"])
DEED_NAMES = (
    *(
        "create",
        "write",
        "append",
        "truncate",
        "cut",
        "chmod",
        "chown",
        "setxattr",
        "rename",
        "link",
        "unlink",
    ),
    *("mkdir", "rmdir", "rmtree", "symlink", "mkfifo", "fill", "unnamed"),
)
OFTEN = ("write", "rename", "rename", "fill")
NEW = ("create", "mkdir", "symlink", "mkfifo")
BELOW = ("fill", "unnamed")
DEEDS = st.sampled_from([*DEED_NAMES, *OFTEN])
DEED = st.tuples(DEEDS, NUMBERS, NUMBERS, NAMES, NUMBERS)
QUEUES = {
    "fanotify": Path("/proc/sys/fs/fanotify/max_queued_events"),
    "inotify": Path("/proc/sys/fs/inotify/max_queued_events"),
}
EXAMPLES = int(os.environ.get("HOSTSEAL_EXAMPLES", "15"))
FLOODS, STEPS = 3, 15
Deed = tuple[str, int, int, bytes, int]
serial = itertools.count()


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What bounds the work in an hour bounds the test in a second."""
    monkeypatch.setattr(file_unclosed, "SECONDS", 0.0)
    monkeypatch.setattr(fanotify_links, "SEARCHES_PER_MINUTE", 1_000_000)


@pytest.fixture(params=["tmpfs", "overlay"])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[bytes]:
    with {"tmpfs": tmpfs, "overlay": overlay}[request.param](tmp_path) as root:
        yield os.fsencode(root)


@pytest.fixture
def hands() -> Iterator[Hands]:
    with Hands() as somebody:
        yield somebody


class Watched(RuleBasedStateMachine):
    """Two watched trees, a place that is not watched, and a sensor that is stopped and started."""

    ground: bytes
    hands: Hands
    kind: str

    @initialize()
    def begin(self) -> None:
        self.root = b"%s/%d" % (self.ground, next(serial))
        self.tops = [self.root + b"/" + name for name in (b"etc", b"home", b"outside")]
        for top in self.tops:
            os.makedirs(top)
        top = os.fsdecode(self.root)
        self.scope = Scope([f"{top}/etc", f"{top}/home/*/.ssh"])
        self.hands.do("fill", self.root + b"/etc/a", b"b")
        self.hands.do("fill", self.root + b"/home/a", b".ssh")
        self.several: set[int] = set()
        self.start()
        self.observer = Observer(self.root, self.scope)

    @rule(deeds=st.lists(DEED, min_size=1, max_size=20))
    def act(self, deeds: list[Deed]) -> None:
        for deed in deeds:
            self.do(*deed)

    def do(self, deed: str, which: int, where: int, name: bytes, number: int) -> None:
        """Do something to one of all the files there are, or make one in one of all the directories."""
        found = self.all_there_is()
        directories = [path for path, is_directory in found if is_directory]
        those = [path for path, _ in found if path not in self.tops] or [b"/nothing"]
        there, new = those[which % len(those)], directories[where % len(directories)] + b"/" + name
        if deed in NEW:
            there, new = new, there
        if deed in BELOW:
            there, new = directories[where % len(directories)], name
        if deed == "link":
            self.several_names(there)
        if self.hands.do(deed, there, new, number):
            note(f"{deed} {there!r} {new!r} {number}")

    def all_there_is(self) -> list[tuple[bytes, bool]]:
        found = [(top, True) for top in self.tops]
        for top, directories, files in itertools.chain.from_iterable(map(os.walk, self.tops)):
            found += [(top + b"/" + name, True) for name in directories]
            found += [(top + b"/" + name, False) for name in files if not name.startswith(b"marker")]
        return sorted(found)

    @rule()
    def look(self) -> None:
        self.settle()
        self.observer.look(self.sink)
        unknown = self.observer.unknown()
        if self.kind != "fanotify":  # it knows of no name but the one that was used
            unknown = {path: both for path, both in unknown.items() if inode(path) not in self.several}
        assert unknown == {}, f"{unknown}, told {self.observer.told}"
        counts = self.sensor.counts()
        parts = ("outside", "own", "matched", "waiting", "unplaced")
        assert counts["read"] == sum(counts[part] for part in parts)

    @rule()
    def restart(self) -> None:
        self.stop()
        self.start()
        self.observer.scan()

    def teardown(self) -> None:
        if hasattr(self, "thread"):
            try:
                self.look()
            finally:
                self.stop()

    def start(self) -> None:
        self.sink, self.halt = Sink(), threading.Event()
        self.sensor = make(self.kind, self.scope)
        self.thread = threading.Thread(target=self.sensor.run, args=(self.sink, self.halt))
        self.thread.start()
        end = time.monotonic() + DEADLINE
        while not self.marked(0.05):
            assert time.monotonic() < end
            assert self.thread.is_alive()
        for search in [thread for thread in threading.enumerate() if thread.name == "links"]:
            search.join(DEADLINE)

    def stop(self) -> None:
        self.halt.set()
        self.hands.do("write", self.root + b"/etc/marker", number=next(serial))  # it looks at `halt` at once
        self.thread.join(DEADLINE)
        assert not self.thread.is_alive()

    def settle(self) -> None:
        """Wait until what was done is told: a marker behind it is, and so is what was only written to and not closed."""
        for _ in range(2):
            assert self.marked(DEADLINE)

    def marked(self, seconds: float) -> bool:
        marker = b"%s/etc/marker%d" % (self.root, next(serial))
        self.hands.do("write", marker)
        return self.sink.wait(lambda: bool(self.sink.what(marker)), seconds)

    def several_names(self, path: bytes) -> None:
        if (number := inode(path)) is not None:
            self.several.add(number)


class Flooded(Watched):
    """The same, and now and then more at a time than the kernel's queue holds."""

    @rule(
        deeds=st.lists(DEED, max_size=20),
        late=st.lists(DEED, max_size=20),
    )
    def flood(self, deeds: list[Deed], late: list[Deed]) -> None:
        held = self.root + b"/etc/marker-held"
        self.sink.flowing.clear()
        try:
            self.hands.do("write", held)
            assert self.sink.held.wait(DEADLINE)
            self.sink.held.clear()
            for deed in deeds:
                self.do(*deed)
            number = int(QUEUES[self.kind].read_text("ascii")) + 500
            if self.kind == "fanotify":
                assert self.hands.do("flood", self.root + b"/outside/flood%d" % next(serial), number=number)
            else:
                assert self.hands.do("shake", self.root + b"/etc", held, number)
            for deed in late:
                self.do(*deed)
        finally:
            self.sink.flowing.set()
        assert self.sink.wait(lambda: "queue_overflow" in self.sink.causes())
        self.look()


def make(kind: str, scope: Scope) -> FileSensor:
    """Make a sensor; the one of an older kernel has renames in two records, and no handles of what was renamed."""
    if kind == "inotify":
        return InotifySensor(scope)
    return FanotifySensor(scope, forms=FORMS[1:] if kind == "fanotify-5.15" else FORMS)


def inode(path: bytes) -> int | None:
    try:
        return os.lstat(path).st_ino
    except OSError:
        return None


def run(machine: type[Watched], examples: int, steps: int, **given: object) -> None:
    kind = type(machine.__name__, (machine,), given)
    checks = (HealthCheck.too_slow, HealthCheck.data_too_large)
    run_state_machine_as_test(
        kind,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=True,
            deadline=None,
            database=None,
            suppress_health_check=checks,
        ),
    )


@pytest.mark.parametrize("kind", ["fanotify", "fanotify-5.15", "inotify"])
def test_what_was_done_is_known(kind: str, ground: bytes, hands: Hands) -> None:
    run(Watched, EXAMPLES, STEPS, kind=kind, ground=ground, hands=hands)


@pytest.mark.parametrize("kind", ["fanotify", "inotify"])
def test_what_was_done_in_a_flood_is_looked_for(kind: str, tmp_path: Path, hands: Hands) -> None:
    with tmpfs(tmp_path) as root:
        run(Flooded, FLOODS, STEPS, kind=kind, ground=os.fsencode(root), hands=hands)
