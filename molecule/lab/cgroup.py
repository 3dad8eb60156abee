"""A control group of its own for each host, in every hierarchy that systemd uses."""

import os
import signal
from pathlib import Path

from lab.waiting import wait_until

TOP = "hostseal-lab"


def hierarchies() -> list[Path]:
    """Return where the unified hierarchy and systemd's own (cgroups v1) are mounted; proc_pid_mountinfo(5)."""
    found: list[Path] = []
    for line in (
        Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    ):
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options.split(",")):
            found.append(Path(before.split(" ")[4]))
    return found


def enter(name: str) -> None:
    """Move the calling process into the control group `name`; its children will be born there."""
    for hierarchy in hierarchies():
        group = hierarchy / TOP / name
        group.mkdir(parents=True, exist_ok=True)
        (group / "cgroup.procs").write_text(f"{os.getpid()}\n", encoding="ascii")


def groups(name: str) -> list[Path]:
    """Return the folders of the group `name` and below, the deepest first."""
    found: list[Path] = []
    for hierarchy in hierarchies():
        top = hierarchy / TOP / name
        for folder, _, _ in os.walk(top, topdown=False):
            found.append(Path(folder))
    return found


def members(name: str) -> set[int]:
    """Return the numbers of the processes in the group and below."""
    pids: set[int] = set()
    for group in groups(name):
        try:
            pids.update(int(line) for line in (group / "cgroup.procs").read_text(encoding="ascii").split())
        except OSError:  # the group went away between listing and reading
            continue
    return pids - {0}


def kill(name: str) -> None:
    """End every process of the group; return when there is none."""

    def ended() -> bool:
        pids = members(name) - {os.getpid()}
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return not pids

    wait_until(ended, seconds=20, what=f"the processes of control group {name} to end")


def remove(name: str) -> None:
    """Remove the group and its parents as far as they are empty."""

    def removed() -> bool:
        for group in groups(name):
            _rmdir(group)
        return not groups(name)

    wait_until(removed, seconds=10, what=f"control group {name} to become empty")
    for hierarchy in hierarchies():
        parent = (hierarchy / TOP / name).parent
        while parent != hierarchy:
            _rmdir(parent)
            parent = parent.parent


def _rmdir(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:  # not empty yet, or gone already
        return False
    return True
