"""A control group for one consumer: its CPU time, children included, and the kernel memory that is charged to it.

The queue of a notification group is charged to the group of the process that made it (fanotify(7), inotify(7): since Linux
4.19), whoever makes the events. Works with control groups of version 1 and 2.
"""

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

_ROOT = Path("/sys/fs/cgroup")
_SAMPLE_SECONDS = 0.02
_END_SECONDS = 5.0


class Group:
    """Make it, run commands in it by `wrap`, read its figures, and leave nothing behind."""

    def __init__(self, name: str) -> None:
        self._unified = (_ROOT / "cgroup.controllers").exists()
        tops = [_ROOT] if self._unified else [_ROOT / "memory", _ROOT / "cpuacct"]
        self._folders = [top / f"{name}-{os.getpid()}" for top in tops]
        self.peak = 0

    def __enter__(self) -> Self:
        for folder in self._folders:
            folder.mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        deadline = time.monotonic() + _END_SECONDS
        while (
            left := self.pids()
        ) and time.monotonic() < deadline:  # an agent that was killed leaves its scan
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        for folder in self._folders:
            folder.rmdir()

    def wrap(self, command: list[str]) -> list[str]:
        """Return the command that moves itself into the group and then becomes `command`, with its pid."""
        joins = " && ".join(f"echo $$ > {folder}/cgroup.procs" for folder in self._folders)
        return ["sh", "-c", f'{joins} && exec "$@"', "sh", *command]

    def cpu(self) -> float:
        """Return the CPU seconds used so far, of user and system together."""
        if self._unified:
            return _fields(self._folders[0] / "cpu.stat")["usage_usec"] / 1e6
        return int((self._folders[1] / "cpuacct.usage").read_text("ascii")) / 1e9

    def pids(self) -> list[int]:
        """Return who is in it."""
        return [int(pid) for pid in (self._folders[0] / "cgroup.procs").read_text("ascii").split()]

    def kernel(self) -> int | None:
        """Return the bytes of kernel memory charged to the group now, None where this kernel does not tell."""
        with suppress(OSError, KeyError):
            if self._unified:
                return _fields(self._folders[0] / "memory.stat")["kernel"]
            return int((self._folders[0] / "memory.kmem.usage_in_bytes").read_text("ascii"))
        return None


class Peak(threading.Thread):
    """Samples the memory of the consumer's children and, while there are none, the group's kernel memory."""

    def __init__(self, group: Group, pid: int) -> None:
        super().__init__(daemon=True)
        self._group, self._pid, self._done = group, pid, threading.Event()
        self._base = self._most = group.kernel()
        self._child = 0.0

    def run(self) -> None:
        while not self._done.wait(_SAMPLE_SECONDS):
            self._sample()

    def stop(self) -> dict[str, float | None]:
        """Stop sampling; return megabytes: kernel memory above that at the start (None: not told), the largest child."""
        self._done.set()
        self.join()
        self._sample()
        above = None if self._base is None or self._most is None else (self._most - self._base) / 1e6
        return {"kernel_mb": above, "child_rss_mb": self._child}

    def _sample(self) -> None:
        now, children = self._group.kernel(), [pid for pid in self._group.pids() if pid != self._pid]
        self._child = max([self._child, *map(most_rss, children)])
        if now is not None and self._most is not None and not children:  # which have page tables of their own
            self._most = max(self._most, now)


def own_cpu(pid: int) -> float:
    """Return the CPU seconds of a process without its children."""
    stat = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def most_rss(pid: int) -> float:
    """Return the most memory a process has had resident so far, in megabytes; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def _fields(file: Path) -> dict[str, int]:
    return {name: int(value) for name, value in map(str.split, file.read_text("ascii").splitlines())}
