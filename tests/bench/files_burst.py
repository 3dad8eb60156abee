"""The file sensors under 87,500 events, beside fatrace, inotifywait, a bare pyinotify reader and watchdog, paired in one run.

    PYTHONPATH=agent:molecule:tests python -m bench.files_burst [--rounds N]

The load is that of `bench.files_load`, inside a sealed tree on a private tmpfs. Two passes for each consumer:

- *burst*, at full speed: which of the 70,000 pairs (path, kind of change) each saw, and what it said it had lost;
- *paced*, at 12,000 operations a second, where a good consumer keeps up: CPU seconds per million events, memory, and the
  kernel's memory for the queue.

Hostseal runs whole: the daemon with attribution from /proc, digests, change sets, a spool on disk with fsync, a real OPA
that decides. `(no hashing)` is the same without digests, and so without the seal. The others only count or print. Exits with an error when
Hostseal loses a pair and does not say so, or when not every difference to the seal is on record at the end.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import results
from bench.files_group import Group, Peak, most_rss, own_cpu
from bench.files_load import ALL_FILES, EVENTS, OPERATIONS, PAIRS, prepare
from bench.files_peers import Peer, Result
from hostseal import keys
from hostseal.policy import bundle
from hostseal.policy.packaged import policies
from hostseal.seal import files
from hostseal.spool.reading import SpoolReader
from hostseal.trial import opa_child

RATE = 12_000.0
AIM_MB = 80
DIFFERENCES = ALL_FILES * 2
"""Content and mode of each file."""

OURS = ("hostseal-fanotify", "hostseal-inotify")
BARE = tuple(f"{name} (no hashing)" for name in OURS)
PEERS = ("fatrace", "inotifywait", "pyinotify", "watchdog")
SLOW = frozenset({"watchdog"})
"""One round is enough of what takes minutes."""

SITE = {"default": {"mode": "observe", "class": "immutable"}}
QUIET_SECONDS = 2.0
LIMIT_SECONDS = 300.0
_BUSY_SECONDS = 0.02


class Machine:
    """What all consumers of a run share."""

    def __init__(self, root: str, folder: Path, opa: str) -> None:
        self.root, self.folder, self.opa = root, folder, opa


@contextmanager
def shared() -> Iterator[Machine]:
    """Mount the filesystem, make the files, start OPA with our policies."""
    with results.own_tmpfs() as root, results.on_disk() as folder:
        prepare(root)
        seal(root, folder)
        program = opa_child.find()
        bundle.build(program, policies(), SITE, folder / "bundle.tar.gz", None)
        with opa_child.running(program, folder / "bundle.tar.gz", folder / "opa.log") as url:
            yield Machine(root, folder, url)


def seal(root: str, folder: Path) -> None:
    """Sign a manifest of the files, as if the image had nothing else."""
    image = folder / "image"
    shutil.copytree(f"{root}/etc", f"{image}{root}/etc")
    private = keys.private_key(keys.ensure_pair(folder, "seal"))
    files.create(image, folder / "image.seal", private, sealed=[f"{root}/etc"])
    shutil.rmtree(image)


def agent(machine: Machine, name: str, state: Path, *options: str) -> list[str]:
    """Return the words that start the agent, by a name of `OURS` or `BARE`."""
    words = [sys.executable, "-m", "bench.files_agent", "--root", machine.root, "--state", str(state)]
    words += ["--seal", str(machine.folder)]
    backend, _, bare = name.removeprefix("hostseal-").partition(" ")
    return [
        *words,
        "--opa",
        machine.opa,
        "--backend",
        backend,
        *(["--without-hashing"] if bare else []),
        *options,
    ]


def measure(machine: Machine, name: str, rate: float) -> Result:
    """Run one consumer through the load once."""
    prepare(machine.root)
    cover = rate == 0
    if name == "nobody":
        return load(machine.root, rate)
    peer = None if name in OURS + BARE else Peer(name, machine.root)
    state = machine.folder / "state"
    command = (
        peer.command(cover=cover) if peer else agent(machine, name, state, *(["--cover"] if cover else []))
    )
    with Group("hostseal-files") as group:
        process = subprocess.Popen(
            group.wrap(command), stdin=subprocess.PIPE, cwd=machine.root if name == "fatrace" else None, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if name == "inotifywait" else None,
        )  # fmt: skip
        too_long = threading.Timer(3 * LIMIT_SECONDS, process.kill)
        too_long.start()
        with process:
            try:
                if not (peer.ready(process) if peer else ready(process)):
                    raise SystemExit(f"{name} did not start")
                result = _loaded(machine, process, group, rate, peer)
                process.send_signal(signal.SIGTERM if name != "fatrace" else signal.SIGINT)
                told = process.communicate(timeout=60)[0]
            finally:
                too_long.cancel()
                process.kill()
    if peer:
        return {**result, **peer.result(told)}
    result.update(json.loads(told), **recorded(state))
    shutil.rmtree(state)
    return result


def ready(process: "subprocess.Popen[str]") -> bool:
    assert process.stdout
    return process.stdout.readline() == "ready\n"


def _loaded(
    machine: Machine, process: "subprocess.Popen[str]", group: Group, rate: float, peer: Peer | None
) -> Result:
    settle(group, process, peer is None)
    before, alone, peak = group.cpu(), own_cpu(process.pid), Peak(group, process.pid)
    peak.start()
    made = load(machine.root, rate)
    settle(group, process, peer is None)
    return {
        **made,
        "cpu": group.cpu() - before,
        "own_cpu": own_cpu(process.pid) - alone,
        "rss_mb": most_rss(process.pid),
        **peak.stop(),
    }


def load(root: str, rate: float) -> Result:
    """Make the changes; return how long they took, and the maker's own CPU seconds."""
    command = [sys.executable, "-m", "bench.files_load", root, "--rate", str(rate)]
    made = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return {f"load_{key}": value for key, value in json.loads(made).items()}


def settle(group: Group, process: "subprocess.Popen[str]", ours: bool) -> None:
    """Wait until a consumer has been idle for longer than a change set stays open, and no scan runs or waits."""
    since, last = time.monotonic(), group.cpu()
    deadline = since + LIMIT_SECONDS
    while time.monotonic() - since < QUIET_SECONDS or (ours and _scans(process)):
        if time.monotonic() > deadline:
            raise SystemExit(f"not settled in {LIMIT_SECONDS:.0f} s: {process.args}")
        time.sleep(0.1)
        now = group.cpu()
        if now - last > _BUSY_SECONDS or group.pids() != [process.pid]:
            since = time.monotonic()
        last = now


def _scans(process: "subprocess.Popen[str]") -> bool:
    """Ask the agent whether a scan runs or waits."""
    assert process.stdin
    assert process.stdout
    print(file=process.stdin, flush=True)
    seal = json.loads(process.stdout.readline())["seal"]
    return seal["manifest"] is not None and bool(seal["scans"]["running"] or seal["scans"]["waiting"])


def recorded(state: Path) -> Result:
    """Return what stands in the agent's spool: changes counted, paths named, losses by cause, events undecided."""
    reader = SpoolReader(state / "spool.db")
    lost: dict[str, int] = {}
    counted = named = 0
    sets: set[tuple[str, str]] = set()
    for found in reader.events():
        event = found["event"]
        if event["type"] == "sensor.lost" and not event["data"]["rescanned"]:
            cause = event["data"]["cause"]
            lost[cause] = lost.get(cause, 0) + event["data"]["detail"].get("count", 1)
        elif event["type"] == "files.changed":
            named += len(event["data"]["paths"])
            when = event["data"]["first"], event["data"]["last"]
            if when not in sets:  # what a scan names later of a change set, the set has counted
                sets.add(when)
                counted += event["data"]["count"]
    return {"counted": counted, "named": named, "lost": lost, "undecided": reader.pending()}


def compare(rounds: int) -> None:
    """Run all consumers, round after round; check, save and print."""
    bursts: dict[str, list[Result]] = {}
    paced: dict[str, list[Result]] = {}
    with shared() as machine:
        for number in range(rounds):
            for name in ("nobody", *OURS, *BARE, *PEERS):
                if name in SLOW and number:
                    continue
                print(f"round {number + 1} of {rounds}: {name}", file=sys.stderr, flush=True)
                if name not in BARE:
                    bursts.setdefault(name, []).append(measure(machine, name, 0.0))
                paced.setdefault(name, []).append(measure(machine, name, RATE))
    check(bursts, paced)
    rows = [
        row(name, bursts.get(name, []), paced[name], paced["nobody"]) for name in paced if name != "nobody"
    ]
    print(
        results.save("files_burst", rows, ratios(rows), rounds=rounds, events=EVENTS, operations=OPERATIONS)
    )


def row(name: str, burst: list[Result], paced: list[Result], nobody: list[Result]) -> results.Row:
    """Return one consumer's figures: the best of the rounds for what costs, the worst for what is lost or held."""
    alone = min(r["load_system"] for r in nobody)
    kept_up = [r for r in paced if not r["lost"]]  # whoever drops events spends less on them
    best = kept_up or paced
    kernel = [r["kernel_mb"] for r in burst + paced if r["kernel_mb"] is not None]
    pairs = [r["pairs"] for r in burst if r["pairs"] is not None]
    return {
        "consumer": name,
        "burst_seen_percent": 100 * min(pairs) / PAIRS if pairs else None,
        "burst_lost_said": any(r["lost"] for r in burst) if burst else None,
        "burst_events_per_second": EVENTS / statistics.median(r["load_seconds"] for r in burst)
        if burst
        else None,
        "paced_overflowed": not kept_up,
        "paced_cpu_per_million": min(r["cpu"] for r in best) / EVENTS * 1e6,
        "paced_added_to_the_writer_per_million": (min(r["load_system"] for r in best) - alone) / EVENTS * 1e6,
        "paced_operations_per_second": OPERATIONS / statistics.median(r["load_seconds"] for r in paced),
        "paced_own_cpu_per_million": min(r["own_cpu"] for r in best) / EVENTS * 1e6,
        "rss_mb": max(r["rss_mb"] for r in burst + paced),
        "scan_rss_mb": max(r["child_rss_mb"] for r in burst + paced),
        "kernel_queue_mb": max(kernel) if kernel else None,
    }


def ratios(rows: list[results.Row]) -> dict[str, float | None]:
    """Return each consumer's CPU against fatrace's and pyinotify's of the same run."""
    cpu = {one["consumer"]: one["paced_cpu_per_million"] for one in rows}
    return {
        f"{name} / {peer}": cpu[name] / cpu[peer]
        for name in (*OURS, *BARE) for peer in ("fatrace", "pyinotify") if peer in cpu
    }  # fmt: skip


def check(bursts: dict[str, list[Result]], paced: dict[str, list[Result]]) -> None:
    """Exit with an error where something was lost and not said, left undecided, or took more memory than may be."""
    for name in OURS:
        for result in bursts[name]:
            if result["pairs"] != PAIRS and not result["lost"]:
                raise SystemExit(f"{name}: {PAIRS - result['pairs']} pairs lost and not reported")
        for result in bursts[name] + paced[name]:
            on_record = result["status"]["seal"]["differences"]
            if on_record != DIFFERENCES:
                raise SystemExit(
                    f"{name}: {on_record} differences to the seal on record, there are {DIFFERENCES}"
                )
            if result["counted"] != result["status"]["events"]:
                raise SystemExit(
                    f"{name}: {result['status']['events']} changes taken, {result['counted']} recorded"
                )
            if result["undecided"] > 1:  # the agent's own last word comes when nobody decides any more
                raise SystemExit(f"{name}: {result['undecided']} events were left undecided")
            if result["rss_mb"] > AIM_MB:
                print(f"{name}: {result['rss_mb']:.0f} MB, over {AIM_MB}", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    if os.geteuid() != 0:
        raise SystemExit("needs root: it mounts a tmpfs and marks it")
    compare(parser.parse_args().rounds)


if __name__ == "__main__":
    main()
