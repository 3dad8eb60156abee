"""Processes by number and start time, so that a number used again is not taken for the old process."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process; `start` is field 22 of /proc/PID/stat (proc_pid_stat(5)), in clock ticks since boot."""

    pid: int
    start: int

    def alive(self) -> bool:
        """Return whether this very process still runs (a zombie does not)."""
        fields = _stat_fields(self.pid)
        return fields is not None and int(fields[19]) == self.start and fields[0] not in {"Z", "X"}

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless the process has ended."""
        if self.alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return


def identify(pid: int) -> Process | None:
    """Return the process that has this number now, or None."""
    fields = _stat_fields(pid)
    return None if fields is None else Process(pid=pid, start=int(fields[19]))


def first_child(pid: int) -> int | None:
    """Return the number of the oldest child of a process, or None."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(children[0]) if children else None


def call(
    argv: Sequence[str | Path],
    *,
    hint: str = "",
    env: Mapping[str, str] | None = None,
    text: str | None = None,
) -> str:
    """Run a command that must succeed and return its output; raise LabError with what it said otherwise."""
    command = [str(word) for word in argv]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, input=text)
    except FileNotFoundError as error:
        raise LabError(
            f"{command[0]} is not installed", hint or "see the README for what the lab needs"
        ) from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise LabError(f"{' '.join(command)}: status {done.returncode}: {said}", hint)
    return done.stdout


def _stat_fields(pid: int) -> list[str] | None:
    """Return /proc/PID/stat from field 3 (state) on; the command before it may hold blanks and brackets."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="surrogateescape")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()
