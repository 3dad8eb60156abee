"""The peers of the file benchmarks: fatrace and inotify-tools from the system's packages, two libraries of Python."""

import json
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import Any

from bench.files_load import Seen

PACKAGES = ("fatrace", "inotify-tools")
WATCHDOG = "watchdog==7.1.0"
START_SECONDS = 10.0
_VENV = Path(__file__).resolve().parents[2] / ".tools/bench"
_COUNTERS = Path(__file__).with_name("files_counters.py")
_INOTIFYWAIT_KINDS = {"CREATE": "c", "CLOSE_WRITE": "m", "ATTRIB": "a", "DELETE": "d"}
Result = dict[str, Any]


def watchdog_python() -> str:
    """Return the Python of an environment with watchdog, which is no dependency of the project; made at the first call."""
    python = _VENV / "bin/python"
    if not python.exists():
        venv.create(_VENV, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", WATCHDOG], check=True)
    return str(python)


class Peer:
    """One of them: its command, how it is known to be ready, what it saw."""

    def __init__(self, name: str, root: str) -> None:
        self.name, self._root = name, root
        self.log = Path(f"{root}.{name}.log")
        program = {"inotifywait": "inotifywait", "fatrace": "fatrace"}.get(name)
        if program and not shutil.which(program):
            raise SystemExit(f"{name} is not installed: apt-get install {' '.join(PACKAGES)}")

    def command(self, *, cover: bool) -> list[str]:
        """Return its words; `cover` is for those that must be told to note what they see."""
        covering = ["--cover"] if cover else []
        match self.name:
            case "fatrace":
                return ["fatrace", "-c", "-f", "CWD+", "-o", str(self.log)]
            case "inotifywait":
                events = ["-e", "create,close_write,attrib,delete", "--format", "%e %w%f"]
                return ["inotifywait", "-m", "-r", *events, "-o", str(self.log), f"{self._root}/etc"]
            case "watchdog":
                return [watchdog_python(), str(_COUNTERS), "watchdog", self._root, *covering]
            case _:
                return [sys.executable, str(_COUNTERS), "pyinotify", self._root, *covering]

    def ready(self, process: "subprocess.Popen[str]") -> bool:
        """Wait until it watches; tell whether it does."""
        if self.name == "fatrace":
            return self._prints()
        words = "Watches established.\n" if self.name == "inotifywait" else "ready\n"
        assert process.stdout
        return any(line.endswith(words) for line in process.stdout)

    def _prints(self) -> bool:
        """Make changes until it has seen one: it does not say when it is ready."""
        probe, deadline = Path(f"{self._root}/etc/0/probe"), time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and not (self.log.exists() and self.log.stat().st_size):
            subprocess.run(["touch", probe], check=True)  # it leaves out what its parent does
            time.sleep(0.1)
        probe.unlink()
        return self.log.stat().st_size > 0

    def result(self, told: str) -> Result:
        """Return what it saw, out of its log or of what it printed at its end.

        fatrace names the directory, not the file, where one was made or removed, and tells of no attributes: its pairs are None.
        """
        if self.name in {"pyinotify", "watchdog"}:
            return dict(json.loads(told))
        seen, records, lost = Seen(self._root), 0, 0
        with self.log.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                records += 1
                lost += "Q_OVERFLOW" in line
                for path, kind in self._pairs(line):
                    seen.add(path, kind)
        self.log.unlink()
        return {"records": records, "pairs": None if self.name == "fatrace" else seen.pairs, "lost": lost}

    def _pairs(self, line: str) -> list[tuple[str, str]]:
        kinds, _, path = line.rstrip("\n").partition(" ")
        return [(path, _INOTIFYWAIT_KINDS[kind]) for kind in kinds.split(",") if kind in _INOTIFYWAIT_KINDS]
