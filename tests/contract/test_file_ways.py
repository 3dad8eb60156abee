"""Each way of changing a sealed file is seen as docs/reference/files.md says, on both backends."""

import itertools
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from contract import file_ways
from contract.file_sensors import DEADLINE, NEEDS_ROOT, Grounds, Sink, mounted, overlay, running, tmpfs
from hostseal.core.attribution import Proof, TracedChange
from hostseal.sensors import file_unclosed
from hostseal.sensors.fanotify import FanotifySensor
from hostseal.sensors.file_scope import Scope
from hostseal.sensors.inotify import InotifySensor

PAGE = Path(__file__).parents[2] / "docs/reference/files.md"
ROW = re.compile(
    r"^\| `(?P<way>[^`]+)` \|[^|]*\| (?P<fanotify>[^|]*) \| (?P<inotify>[^|]*) \| (?P<writer>[^|]*) \|",
    re.MULTILINE,
)
ROWS = {row["way"]: row.groupdict() for row in ROW.finditer(PAGE.read_text("utf-8"))}
SENSORS = {"fanotify": FanotifySensor, "inotify": InotifySensor}
Place = tuple[Grounds, Sink]
serial = itertools.count()

pytestmark = NEEDS_ROOT


@contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """An ext4 of the test's own, on a loop device."""
    image = folder / "image"
    with image.open("wb") as file:
        file.truncate(16 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-O", "^has_journal", str(image)], check=True)
    with mounted("-o", "loop", str(image), at=folder / "disk", unmount=("umount", "--lazy")):
        yield folder / "disk"


GROUNDS = {"tmpfs": tmpfs, "disk": disk, "overlay": overlay}


@pytest.fixture(scope="module", params=SENSORS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def places(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Place]]:
    """Start the sensor on each ground once for all ways; what waits for a close waits for less."""
    found: dict[str, Place] = {}
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_unclosed, "SECONDS", 0.2)
        for name, make in GROUNDS.items():
            folder = tmp_path_factory.mktemp(f"{backend}-{name}")
            grounds, sink = Grounds(stack.enter_context(make(folder))), Sink()
            scope = Scope(grounds.watch, grounds.exclude)
            stack.enter_context(running(lambda scope=scope: SENSORS[backend](scope), sink, grounds))
            found[name] = grounds, sink
        yield found


def test_every_way_has_its_row_and_every_row_its_way() -> None:
    assert set(ROWS) == set(file_ways.ALL)


@pytest.mark.parametrize("way", file_ways.ALL)
def test_a_way_is_seen_as_the_page_says(way: str, backend: str, places: dict[str, Place]) -> None:
    grounds, sink = places[ground_of(way)]
    directory, outside = (top + b"/" + os.fsencode(way) for top in (grounds.etc, grounds.outside))
    file, path = directory + b"/f", file_ways.shows(directory, way)
    prepare(way, directory, outside, grounds)
    calm(grounds, sink)
    with somebody(
        way,
        (file, directory, outside, device_of(grounds), os.path.dirname(grounds.root) + b"/tmpfs"),
        grounds,
        sink,
    ):
        settle(grounds, sink)
        told = [change for change in sink.changes if change.path == path]
        losses = {f"loss: {cause}" for cause, scope, _ in sink.losses if scope == os.fsdecode(path)}
        seen = {change.what for change in told} | losses
        expected = ROWS[way][backend].split(",")[0]
        assert (expected in seen) if expected != "no" else not seen, (seen, sink.losses)
        if backend == "fanotify" and ROWS[way]["writer"] == "exact":
            assert {c.process and c.process.proof for c in told if isinstance(c, TracedChange)} == {
                Proof.ALIVE
            }
        if way == "block device":
            assert fresh(file).startswith(b"y")
    if way in ("mount over", "remount"):
        subprocess.run(["umount", "--lazy", directory], check=True)
    if way == "mmap held":
        settle(grounds, sink)
        assert "modified" in sink.what(path)


def ground_of(way: str) -> str:
    if way in file_ways.LAYERS:
        return "overlay"
    return "disk" if way in (*file_ways.DEVICE, "file attributes", "capability", "hole") else "tmpfs"


def device_of(grounds: Grounds) -> bytes:
    found = subprocess.run(["findmnt", "-no", "SOURCE", grounds.root], stdout=subprocess.PIPE, check=True)
    return found.stdout.strip()


def prepare(way: str, directory: bytes, outside: bytes, grounds: Grounds) -> None:
    """Make the sealed file of a way; the one of a lower layer lies in that."""
    place = directory
    if way == "overlay, lower layer":
        place = os.path.dirname(grounds.root) + b"/tmpfs/lower/etc/" + os.path.basename(directory)
    grounds.do(
        f"os.makedirs(a[0]); os.makedirs(a[1]); open(a[0] + b'/f', 'wb').write({way.encode()!r} * 1024)",
        place,
        outside,
    )


@contextmanager
def somebody(way: str, paths: tuple[bytes, ...], grounds: Grounds, sink: Sink) -> Iterator[None]:
    """Have a way done by somebody else, who stays until the end of the block."""
    code = file_ways.ALL[way]
    command = [sys.executable, "-ISE", "-c", file_ways.script(code), *map(os.fsdecode, paths)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        for _ in range(code.count("hold()")):
            assert process.stdout.readline() == "done\n"
            calm(grounds, sink)
            process.stdin.write("\n")
            process.stdin.flush()
        assert process.stdout.readline() == "done\n"
        yield
        process.stdin.close()
        assert process.wait(DEADLINE) == 0


def calm(grounds: Grounds, sink: Sink) -> None:
    """Forget what was told until now."""
    settle(grounds, sink)
    sink.changes.clear()
    sink.losses.clear()


def settle(grounds: Grounds, sink: Sink) -> None:
    """Wait until what was done is told, and what waits for a close too."""
    for pause in (file_unclosed.SECONDS, 0.0):
        marker = b"%s/marker%d" % (grounds.etc, next(serial))
        grounds.do("open(a[0], 'w')", marker)
        assert sink.wait(lambda path=marker: "modified" in sink.what(path))
        time.sleep(pause)


def fresh(file: bytes) -> bytes:
    """Return a file's content as it is on the disk."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)
