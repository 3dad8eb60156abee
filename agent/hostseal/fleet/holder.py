"""Who holds a lease: one process on one boot of one machine."""

import os
from pathlib import Path

import msgspec


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """A process, named so that a later one with its number is not taken for it (`began` is in ticks since the boot)."""

    machine: str
    boot: str
    pid: int
    began: int

    def __str__(self) -> str:
        return f"process {self.pid} on {self.machine}"

    def elsewhere(self, asking: "Holder") -> bool:
        """Return whether this holder is on another machine than the one that asks."""
        return self.machine != asking.machine

    def may_be_alive(self, asking: "Holder") -> bool:
        """Return whether this holder may still run, as far as the one that asks can know: it sees its own machine only."""
        return self.elsewhere(asking) or (self.boot == asking.boot and _began(self.pid) == self.began)


def this_process() -> Holder:
    """Return the process that calls."""
    began = _began(os.getpid())
    boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    return Holder(machine=os.uname().nodename, boot=boot, pid=os.getpid(), began=began or 0)


def _began(pid: int) -> int | None:
    """Return when a living process began; None when there is none, or when it is dead and not yet waited for (proc(5))."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if after_name[0] == b"Z" else int(after_name[19])
