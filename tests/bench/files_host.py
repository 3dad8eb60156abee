"""What the agent adds to the installing of a large package and to an untar of 50,000 files, on a lab host.

    PYTHONPATH=agent:molecule:tests python -m bench.files_host [--pairs N]

Both land in sealed paths (/usr, /opt) of a host with the agent, its manifest and OPA. Each is timed with and without the
agent, alternating which comes first; between two of them the tree is removed again and the agent's scans run out. The
package is fetched here (`apt-get download`) and copied in: lab hosts reach no network. Their root is an overlay mount, which
makes files slower than a plain disk does, with and without the agent.
"""

import argparse
import io
import os
import re
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from bench import results
from hostseal import keys
from lab import Host, Lab
from lab_site import Site, install

FILES, FOLDERS = 50_000, 500
AIM_PERCENT = 3.0
SETTLE_SECONDS = 2.0
LIMIT_SECONDS = 180.0
_DEB, _TAR = "/var/tmp/bench.deb", "/var/tmp/bench.tar"
_HOSTSEAL = "/opt/hostseal/bin/hostseal"


class Task:
    """Something to time: a shell line, and the one that takes back what it did."""

    def __init__(self, name: str, files: int, do: str, undo: str) -> None:
        self.name, self.files, self.do, self.undo = name, files, do, undo


def package(folder: Path) -> tuple[Path, str, int]:
    """Fetch the headers of a kernel, the largest package without dependencies; return it, its name, how many files."""
    found = subprocess.run(
        ["apt-cache", "search", "--names-only", "^linux-headers-[0-9.]+-[0-9]+-common$"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    names = [line.split()[0] for line in found.splitlines()]
    name = max(names, key=lambda one: [int(number) for number in re.findall(r"\d+", one)])
    subprocess.run(["apt-get", "download", "-qq", name], check=True, cwd=folder, stderr=subprocess.DEVNULL)
    deb = next(folder.glob("*.deb"))
    listed = subprocess.run(["dpkg-deb", "-c", deb], check=True, capture_output=True, text=True).stdout
    return deb, name, sum(not line.startswith("d") for line in listed.splitlines())


def archive(folder: Path) -> Path:
    """Make a tar archive of `FILES` small files."""
    path = folder / "bench.tar"
    with tarfile.open(path, "w") as tar:
        for number in range(FILES):
            content = b"%d\n" % number * 200
            member = tarfile.TarInfo(f"bench/{number % FOLDERS}/{number}")
            member.size, member.mode = len(content), 0o644
            tar.addfile(member, io.BytesIO(content))
    return path


def seal(host: Host, folder: Path) -> None:
    """Sign what is on the host now, and have the agent hold it to that."""
    private = keys.ensure_pair(folder, "seal")
    host.copy_in(private, "/var/tmp/seal.key")
    host.copy_in(private.with_suffix(".pub"), "/etc/hostseal/seal.pub")
    # Its root without what is mounted there: an image has no /proc.
    create = f"{_HOSTSEAL} seal create /run/image --out /etc/hostseal/image.seal --key /var/tmp/seal.key"
    host.peek(
        f"mkdir /run/image && mount --bind / /run/image && {create} && umount /run/image && rm /var/tmp/seal.key",
        timeout=LIMIT_SECONDS,
    )


def timed(host: Host, task: Task, *, agent: bool) -> tuple[float, float]:
    """Return the seconds that the task took and the agent's CPU seconds, its scans included, with or without the agent."""
    host.peek(["systemctl", "start" if agent else "stop", "hostseal.service"], timeout=LIMIT_SECONDS)
    if agent:
        settle(host)
    host.peek(["sync"], timeout=LIMIT_SECONDS)
    before = cpu_seconds(host) if agent else 0.0
    began = time.perf_counter()
    host.peek(["sh", "-c", task.do], timeout=LIMIT_SECONDS)
    seconds = time.perf_counter() - began
    if agent:
        settle(host)
    used = cpu_seconds(host) - before if agent else 0.0
    host.peek(["sh", "-c", task.undo], timeout=LIMIT_SECONDS)
    return seconds, used


def settle(host: Host) -> None:
    """Wait until the agent has no child and has been idle for a while."""
    since = time.monotonic()
    deadline, last = since + LIMIT_SECONDS, cpu_seconds(host)
    while time.monotonic() - since < SETTLE_SECONDS and time.monotonic() < deadline:
        time.sleep(0.2)
        now = cpu_seconds(host)
        scans = host.peek(["pgrep", "--parent", _pid(host)], check=False).stdout.strip()
        if now - last > 0.02 or scans:
            since = time.monotonic()
        last = now


def cpu_seconds(host: Host) -> float:
    """Return the CPU seconds of the agent and of its children that have ended."""
    fields = host.peek(["cat", f"/proc/{_pid(host)}/stat"]).stdout.rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _pid(host: Host) -> str:
    return host.peek(["systemctl", "show", "--property=MainPID", "--value", "hostseal"]).stdout.strip()


def row(task: Task, pairs: list[tuple[float, float, float]]) -> results.Row:
    """Return one task's figures: medians, and what the agent added by the median of the pairs."""
    return {
        "task": task.name,
        "files": task.files,
        "pairs": len(pairs),
        "without_seconds": statistics.median(without for without, _, _ in pairs),
        "with_seconds": statistics.median(took for _, took, _ in pairs),
        "added_percent": 100 * (statistics.median(took / without for without, took, _ in pairs) - 1),
        "added_percent_best": 100 * (min(t for _, t, _ in pairs) / min(w for w, _, _ in pairs) - 1),
        "agent_cpu_seconds": statistics.median(used for _, _, used in pairs),
    }


def compare(pairs: int) -> None:
    """Install a host, time both tasks in pairs, save."""
    with Lab("benchfiles") as lab, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        deb, installed, count = package(folder)
        host = lab.up(["host"])[0]
        install(Site(folder / "site", default_mode="observe"), [host])
        host.copy_in(deb, _DEB)
        host.copy_in(archive(folder), _TAR)
        seal(host, folder / "keys")
        tasks = (
            Task(
                "apt-get install", count,
                f"DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends {_DEB}",
                f"dpkg --purge {installed}",
            ),
            Task("tar -xf", FILES, f"tar -xf {_TAR} -C /opt", "rm -rf /opt/bench"),
        )  # fmt: skip
        rows = []
        for task in tasks:
            timed(host, task, agent=False)  # once for the caches
            found = []
            for number in range(pairs):
                taken = {
                    agent: timed(host, task, agent=agent)
                    for agent in ((False, True), (True, False))[number % 2]
                }
                found.append((taken[False][0], *taken[True]))
                print(f"{task.name}, pair {number + 1}: {found[-1]}", file=sys.stderr, flush=True)
            rows.append(row(task, found))
        print(results.save("files_host", rows, {}, package=installed, root="overlay"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=6)
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("needs root: it boots a lab host")
    compare(arguments.pairs)


if __name__ == "__main__":
    main()
