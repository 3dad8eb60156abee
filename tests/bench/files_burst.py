"""The file sensors in a burst of 87,500 events, beside fatrace and a bare pyinotify reader, paired in one run.

    PYTHONPATH=agent:tests python -m bench.files_burst [--rounds N]

The burst: 17,500 files in 175 directories; in each directory all its files are made and written, then their modes
changed, then rewritten, then removed: five events a file (create, close after write, attributes, close after write,
delete). It runs on a private tmpfs, so that a filesystem mark covers nothing else. Two passes:

- *burst*, at full speed: which of the 70,000 pairs (path, kind of change) each consumer saw, what it reported as lost,
  and the kernel's memory for queues (slab caches; the row "nobody" is the burst's own noise);
- *paced*, with 20 ms after each directory: CPU seconds per million events, where every consumer keeps up.

Both sensors of Hostseal run whole: folding, attribution from /proc, digests, change sets. The others only count.
"""

import argparse
import json
import os
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DIRECTORIES, FILES = 175, 100
EVENTS = DIRECTORIES * FILES * 5
PAIRS = DIRECTORIES * FILES * 4
PAUSE_SECONDS = 0.02
CONSUMERS = ("hostseal-fanotify", "hostseal-inotify", "fatrace", "pyinotify")
SLAB = re.compile(r"^(?:fanotify|inotify|kmalloc-(?:cg-)?(?:32|64|96|128|192|256|512) )")
Result = dict[str, Any]


def burst(root: str, pause: float) -> None:
    """Make the events."""
    for number in range(DIRECTORIES):
        files = [f"{root}/etc/{number}/{file}" for file in range(FILES)]
        for path in files:
            write(path)
        for path in files:
            os.chmod(path, 0o600)
        for path in files:
            write(path)
        for path in files:
            os.unlink(path)
        time.sleep(pause)


def write(path: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    os.write(file, b"x")
    os.close(file)


def consume_hostseal(backend: str, root: str, cover: bool) -> None:
    from hostseal.clock import SystemClock
    from hostseal.config.files import Backend, FilesSettings
    from hostseal.ports import RawChange
    from hostseal.sensors.file_watch import FileWatch

    counted, lost, pairs = 0, [], set()

    def emit(event_type: str, data: Mapping[str, Any], *, sensor: str, key: str) -> str:
        nonlocal counted
        if event_type == "sensor.lost":
            lost.append(f"{data['cause']} x{data['detail']['count']}")
        else:
            counted += data["count"]
        return f"{sensor}{key}"

    class Covering(FileWatch):
        def changed_many(self, changes: Sequence[RawChange]) -> None:
            pairs.update((change.path, change.what) for change in changes)
            super().changed_many(changes)

    settings = FilesSettings(backend=Backend(backend), watch=(f"{root}/etc",), exclude=())
    kind = Covering if cover else FileWatch
    watch = kind(settings, emit, lambda _: None, lambda _: None, SystemClock())
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    thread = threading.Thread(target=watch.run, args=(stop,))
    thread.start()
    while not watch.status()["alive"]:
        time.sleep(0.01)
    time.sleep(1.0)
    before = cpu()
    print("ready", flush=True)
    stop.wait()
    thread.join()
    say(
        cpu() - before, records=watch.status()["events"], counted=counted, pairs=len(pairs) or None, lost=lost
    )


def consume_pyinotify(root: str, cover: bool) -> None:
    warnings.simplefilter("ignore")
    import pyinotify

    what = {"IN_CREATE": "c", "IN_CLOSE_WRITE": "m", "IN_ATTRIB": "a", "IN_DELETE": "d"}
    records, overflows, pairs = 0, 0, set()

    class Count(pyinotify.ProcessEvent):  # type: ignore[misc]
        def process_default(self, event: Any) -> None:
            nonlocal records
            records += 1
            if cover and event.maskname in what:
                pairs.add((event.pathname, what[event.maskname]))

        def process_IN_Q_OVERFLOW(self, _: Any) -> None:  # noqa: N802 - pyinotify's name
            nonlocal overflows
            overflows += 1

    manager = pyinotify.WatchManager()
    notifier = pyinotify.Notifier(manager, Count())
    mask = pyinotify.IN_CREATE | pyinotify.IN_CLOSE_WRITE | pyinotify.IN_ATTRIB | pyinotify.IN_DELETE
    manager.add_watch(f"{root}/etc", mask, rec=True, auto_add=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    before = cpu()
    print("ready", flush=True)
    notifier.loop()
    say(
        cpu() - before,
        records=records,
        pairs=len(pairs) or None,
        lost=[f"overflow x{overflows}"] if overflows else [],
    )


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def say(seconds: float, **result: object) -> None:
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu": seconds, "rss": rss, **result}), flush=True)


@contextmanager
def consumer(name: str, root: str, cover: bool) -> Iterator[tuple[subprocess.Popen[str] | None, Result]]:
    """Run a consumer; the result is there after the block."""
    result: Result = {}
    if name == "nobody":
        yield None, result
        return
    log = Path(root).with_suffix(".fatrace")
    command = [sys.executable, "-m", "bench.files_burst", "--consume", name, "--root", root]
    if name == "fatrace":
        command = ["fatrace", "-c", "-f", "CWD+", "-o", str(log)]
    elif cover:
        command.append("--cover")
    with subprocess.Popen(
        command, cwd=root if name == "fatrace" else None, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        if name == "fatrace":
            time.sleep(1.0)
        elif process.stdout.readline() != "ready\n":
            raise SystemExit(f"{name} did not start")
        yield process, result
        settle(process.pid)
        process.send_signal(signal.SIGTERM if name != "fatrace" else signal.SIGINT)
        if name != "fatrace":
            result.update(json.loads(process.stdout.readline()))
            process.wait(30)
            return
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        result.update(fatrace_result(log))
        result.update(cpu=usage.ru_utime + usage.ru_stime, rss=usage.ru_maxrss / 1024)
        log.unlink()


def fatrace_result(log: Path) -> Result:
    """Count fatrace's lines: `python3(123): CW  /path`, several kinds in one line where the kernel merged them."""
    records, pairs = 0, set()
    for line in log.read_text("utf-8", "replace").splitlines():
        found = re.match(r"\S+\(\d+\): (\S+)\s+(/.*)", line)
        if found:
            records += 1
            pairs |= {(found[2], kind) for kind in found[1]}
    return {"records": records, "pairs": None, "named": len(pairs), "lost": []}


def settle(pid: int) -> None:
    """Wait until a consumer has been idle for a second."""
    last, idle = "", 0
    while idle < 10:
        time.sleep(0.1)
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()
        now = fields[11] + fields[12]
        idle = idle + 1 if now == last else 0
        last = now


class Slabs(threading.Thread):
    """Samples the kernel's memory for queued events; `peak` is in MB above the start."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.base, self.peak, self.done = self.now(), 0.0, threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.03):
            self.peak = max(self.peak, (self.now() - self.base) / 1e6)

    @staticmethod
    def now() -> int:
        lines = Path("/proc/slabinfo").read_text("ascii").splitlines()
        return sum(int(f[1]) * int(f[3]) for line in lines if SLAB.match(line) for f in [line.split()])


def one(name: str, root: str, *, paced: bool) -> Result:
    """Run one consumer through one burst."""
    with consumer(name, root, not paced) as (_, result):
        slabs = Slabs()
        slabs.start()
        command = [sys.executable, "-m", "bench.files_burst", "--burst", str(PAUSE_SECONDS if paced else 0.0)]
        began = time.monotonic()
        subprocess.run([*command, "--root", root], check=True)
        seconds = time.monotonic() - began
    slabs.done.set()
    slabs.join()
    return {**result, "kernel": slabs.peak, "seconds": seconds}


def compare(rounds: int) -> None:
    root = tempfile.mkdtemp(prefix="hostseal-bench-")
    subprocess.run(["mount", "-t", "tmpfs", "hostseal-bench", root], check=True)
    try:
        for number in range(DIRECTORIES):
            os.makedirs(f"{root}/etc/{number}")
        names = [n for n in CONSUMERS if n != "fatrace" or shutil.which("fatrace")]
        bursts: dict[str, list[Result]] = {n: [] for n in ("nobody", *names)}
        paced: dict[str, list[Result]] = {n: [] for n in names}
        for number in range(rounds):
            for name, results in bursts.items():
                print(f"round {number + 1} of {rounds}: {name}", file=sys.stderr, flush=True)
                results.append(one(name, root, paced=False))
                if name != "nobody":
                    paced[name].append(one(name, root, paced=True))
        show(bursts, paced)
    finally:
        subprocess.run(["umount", "--lazy", root], check=True)
        os.rmdir(root)


def show(bursts: dict[str, list[Result]], paced: dict[str, list[Result]]) -> None:
    per_million = {n: statistics.median(r["cpu"] for r in rs) / EVENTS * 1e6 for n, rs in paced.items()}
    print(
        f"\n{EVENTS:,} events, {PAIRS:,} pairs of path and kind; medians of {len(bursts['nobody'])} rounds\n"
    )
    print(
        "| consumer | burst: pairs seen | reported lost | kernel MB | paced: CPU s per 1M events | against fatrace |"
        " against pyinotify | RSS MB |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, results in bursts.items():
        kernel = statistics.median(r["kernel"] for r in results)
        if name == "nobody":
            print(f"| nobody | - | - | {kernel:.1f} | - | - | - | - |")
            continue
        seen = ", ".join(
            f"{100 * r['pairs'] / PAIRS:.1f} %" if r.get("pairs") else f"{r['records']:,} lines"
            for r in results
        )
        lost = "; ".join(sorted({x for r in results for x in r["lost"]})) or "-"
        ratios = [
            f"{per_million[name] / per_million[o]:.2f}" if o in per_million else "-"
            for o in ("fatrace", "pyinotify")
        ]
        rss = max(r["rss"] for r in paced[name])
        print(
            f"| {name} | {seen} | {lost} | {kernel:.1f} | {per_million[name]:.1f} | {ratios[0]} | {ratios[1]} | {rss:.0f} |"
        )
        if name.startswith("hostseal"):
            for result in results:
                if result["pairs"] != PAIRS and not result["lost"]:
                    raise SystemExit(f"{name}: {PAIRS - result['pairs']} pairs lost and not reported")
                if result["counted"] != result["records"]:
                    raise SystemExit(
                        f"{name}: {result['records']} changes taken, {result['counted']} in change sets"
                    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--consume", help=argparse.SUPPRESS)
    parser.add_argument("--burst", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--cover", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--root", default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.burst is not None:
        burst(arguments.root, arguments.burst)
    elif arguments.consume == "pyinotify":
        consume_pyinotify(arguments.root, arguments.cover)
    elif arguments.consume:
        consume_hostseal(arguments.consume.removeprefix("hostseal-"), arguments.root, arguments.cover)
    elif os.geteuid() != 0:
        raise SystemExit("needs root: it mounts a tmpfs and marks it")
    else:
        compare(arguments.rounds)


if __name__ == "__main__":
    main()
