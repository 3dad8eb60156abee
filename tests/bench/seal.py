"""The seal beside AIDE, paired in one run: the same files, attributes and digest (SHA-256).

    PYTHONPATH=agent:tests python -m bench.seal [--files N] [--rounds N] [--scale N,N] [--on DIR] [--json OUT]

A tree of 100,000 files and 1.5 GB is made (sizes as on a host: most are small), then each round runs, one after the other:

- *hot*: `aide --init`, `hostseal seal create`, `aide --check`, `hostseal seal verify`, and `verify --quick` with what the run
  before remembered. AIDE has one worker, as Debian sets it up, and once more as many as there are processors;
- *cold*: the first four again, each after the tree's own file system was unmounted and mounted (root: a loop device
  with direct I/O, so that the file under it is not cached either; the rest of the machine keeps its caches).

With `--scale`, `create`, `verify` and `diff` run once over trees of small files of those sizes, for time and memory.
Wall seconds, CPU seconds and memory are of whole processes, started by their command line; the ratios are of wall time,
pair by pair, and their medians are what is aimed at. On a machine that does other work too, look at those of CPU time:
the seal's is spread over all processors.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

from hostseal import keys

HOSTSEAL = Path(sys.executable).with_name("hostseal")
BYTES_PER_FILE = 15_000
PER_FOLDER = 100
AIMS = {
    "hot init / create": 6.0,
    "hot check / verify": 10.0,
    "cold init / create": 1.0,
    "cold check / verify": 1.0,
}
QUICK_AIM_SECONDS = 1.0
Figures = dict[str, float]


def tree(root: Path, files: int, mean: int) -> int:
    """Make a tree of so many files with a mean size below `root`/usr; return its bytes."""
    chance = random.Random(1)
    block = chance.randbytes(1 << 20)
    total = 0
    for number in range(files):
        if number % PER_FOLDER == 0:
            folder = f"{root}/usr/{number // PER_FOLDER // 50}/{number // PER_FOLDER}"
            os.makedirs(folder)
        size = min(len(block), int(chance.lognormvariate(0, 1.5) * mean / 3.08)) if mean > 1 else mean
        start = chance.randrange(len(block) - size + 1)
        file = os.open(f"{folder}/file-{number:07}", os.O_WRONLY | os.O_CREAT, 0o644)
        os.write(file, block[start : start + size])
        os.close(file)
        total += size
    return total


class Memory:
    """The most that a process and its workers have at a time, as the proportional sizes (PSS) of all of them say."""

    def __init__(self, pid: int) -> None:
        self._pid, self.peak, self._stop = pid, 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            self.peak = max(self.peak, sum(map(_pss, [self._pid, *_children(self._pid)])))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        found = Path(f"/proc/{pid}/task").glob("*/children")
        return [int(word) for children in found for word in children.read_text().split()]
    return []


def _pss(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def run(argv: list[Any], *, status: tuple[int, ...] = (0,)) -> Figures:
    """Run a command; return its wall and CPU seconds, and its memory in MB at most."""
    before, began = os.times(), time.monotonic()
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(list(map(str, argv)), stdout=said, stderr=subprocess.STDOUT) as running,
    ):
        with Memory(running.pid) as memory:
            running.wait()
        seconds = time.monotonic() - began
        if running.returncode not in status:
            said.seek(0)
            sys.exit(f"{argv}: status {running.returncode}: {said.read()[-1000:].decode()}")
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"seconds": round(seconds, 3), "cpu": round(cpu, 3), "mb": round(memory.peak, 1)}


class Place:
    """The tree's own file system, and what is kept beside it."""

    def __init__(self, top: Path, size_mb: int, files: int) -> None:
        self.top, self.root = top, top / "root"
        self.root.mkdir()
        self._image, self._size, self._inodes = top / "disk", size_mb, files + files // 20 + 1000
        keys.ensure_pair(top / "keys", "seal")
        self.loop = ""

    def make(self) -> None:
        with self._image.open("wb") as file:
            file.truncate(self._size << 20)
        do("mkfs.ext4", "-q", "-F", "-N", self._inodes, self._image)
        argv = ["losetup", "--direct-io=on", "--find", "--show", str(self._image)]
        self.loop = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
        do("mount", self.loop, self.root)

    def cool(self) -> None:
        """Forget all of the tree that is in memory."""
        do("umount", self.root)
        do("mount", self.loop, self.root)

    def drop(self) -> None:
        if self.loop:
            subprocess.run(["umount", self.root], check=False)
            subprocess.run(["losetup", "--detach", self.loop], check=False)

    def aide(self, what: str, workers: int) -> list[Any]:
        configuration = self.top / f"aide-{workers}.conf"
        configuration.write_text(
            f"database_in=file:{self.top}/aide-{workers}.db\ndatabase_out=file:{self.top}/aide-{workers}.db\n"
            f"num_workers={workers}\nreport_url=file:/dev/null\n"
            f"{self.root}/usr ftype+p+u+g+l+s+sha256+xattrs+acl+caps\n"
        )
        return ["aide", f"--{what}", "--config", configuration]

    def create(self, name: str = "manifest") -> list[Any]:
        return [
            *(HOSTSEAL, "seal", "create", self.root),
            *("--out", self.top / name, "--key", self.top / "keys/seal.key"),
        ]

    def verify(self, *more: Any) -> list[Any]:
        return [
            *(HOSTSEAL, "seal", "verify", "--root", self.root, "--manifest", self.top / "manifest"),
            *("--public-key", self.top / "keys/seal.pub", *more),
        ]

    def diff(self) -> list[Any]:
        return [
            *(HOSTSEAL, "seal", "diff", self.top / "manifest", self.top / "manifest"),
            *("--public-key", self.top / "keys/seal.pub"),
        ]


def do(*argv: Any) -> None:
    subprocess.run(list(map(str, argv)), check=True)


@contextlib.contextmanager
def place(on: Path | None, size_mb: int, files: int) -> Iterator[Place]:
    top = Path(tempfile.mkdtemp(prefix="bench-seal-", dir=on))
    made = Place(top, size_mb, files)
    try:
        made.make()
        yield made
    finally:
        made.drop()
        shutil.rmtree(top)


def rounds(here: Place, count: int) -> list[dict[str, Figures]]:
    """Run all of it so many times."""
    many = len(os.sched_getaffinity(0))
    cache = ("--quick", "--cache", here.top / "cache")
    steps: dict[str, Callable[[], list[Any]]] = {
        "hot aide init": lambda: here.aide("init", 1),
        "hot seal create": here.create,
        "hot aide check": lambda: here.aide("check", 1),
        "hot seal verify": here.verify,
        f"hot aide init, {many} workers": lambda: here.aide("init", many),
        f"hot aide check, {many} workers": lambda: here.aide("check", many),
        "seal verify --quick, first": lambda: here.verify(*cache),
        "seal verify --quick, again": lambda: here.verify(*cache),
        "cold aide init": lambda: here.aide("init", 1),
        "cold seal create": here.create,
        "cold aide check": lambda: here.aide("check", 1),
        "cold seal verify": here.verify,
    }
    found = []
    for number in range(count):
        results = {}
        run(here.create())  # what is read first is read for all
        (here.top / "cache").unlink(missing_ok=True)
        for name, argv in steps.items():
            if name.startswith("cold"):
                here.cool()
            results[name] = run(argv())
            print(f"round {number + 1}: {name:32} {results[name]}", flush=True)
        found.append(results)
    return found


def ratios(results: list[dict[str, Figures]], what: str) -> dict[str, float]:
    pairs = {
        f"{state} {peer} / {ours}": (f"{state} aide {peer}", f"{state} seal {ours}")
        for state in ("hot", "cold")
        for peer, ours in (("init", "create"), ("check", "verify"))
    }
    many = len(os.sched_getaffinity(0))
    for peer, ours in (("init", "create"), ("check", "verify")):
        pairs[f"hot {peer}, {many} workers / {ours}"] = (
            f"hot aide {peer}, {many} workers",
            f"hot seal {ours}",
        )
    return {
        name: round(statistics.median(one[a][what] / one[b][what] for one in results), 2)
        for name, (a, b) in pairs.items()
    }


def scale(on: Path | None, sizes: list[int]) -> dict[str, dict[str, Figures]]:
    found = {}
    for files in sizes:
        with place(on, 512 + files * 6 // 1000, files) as here:
            tree(here.root, files, 1)
            found[str(files)] = {
                "create": run(here.create()),
                "verify": run(here.verify()),
                "diff": run(here.diff()),
                "manifest": {"bytes_per_file": round((here.top / "manifest").stat().st_size / files, 1)},
            }
        print(files, found[str(files)], flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", default="", help="sizes, with commas")
    parser.add_argument("--on", type=Path, help="where the trees are made")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    report: dict[str, Any] = {"files": chosen.files, "processors": len(os.sched_getaffinity(0))}
    if chosen.rounds:
        with place(chosen.on, 1024 + chosen.files * 24 // 1000, chosen.files) as here:
            report["bytes"] = tree(here.root, chosen.files, BYTES_PER_FILE)
            os.sync()
            results = rounds(here, chosen.rounds)
        report |= {"rounds": results, "ratios": ratios(results, "seconds"), "aims": AIMS}
        report["cpu_ratios"] = ratios(results, "cpu")
        again = [one["seal verify --quick, again"]["seconds"] for one in results]
        report["quick_again_seconds"] = statistics.median(again)
        print(
            json.dumps({"bytes": report["bytes"], "ratios": report["ratios"], "quick again": again}, indent=1)
        )
    if chosen.scale:
        report["scale"] = scale(chosen.on, [int(word) for word in chosen.scale.split(",")])
    if chosen.json:
        chosen.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
