"""What a benchmark leaves: one JSON file, from which the tables and the plot are made.

    {"bench": name, "date": "2026-01-31", "machine": {...}, "rows": [{...}], "ratios": {...}}

`rows` have the same keys throughout; None is "not measured here". `ratios` are of figures of one and the same run.
"""

import datetime as dt
import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "docs/bench"
Row = dict[str, Any]


def machine() -> dict[str, Any]:
    """Return what a reader needs to know of this machine; nothing that names it."""
    release = platform.freedesktop_os_release()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 1e9),
        "kernel": ".".join(platform.release().split(".")[:2]),
        "system": release["PRETTY_NAME"],
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


def save(bench: str, rows: Sequence[Row], ratios: Mapping[str, float | None], **more: Any) -> Path:
    """Write docs/bench/BENCH.json, figures rounded to what they are worth; return its path."""
    today = dt.datetime.now(dt.UTC).date().isoformat()
    found = {"bench": bench, "date": today, "machine": machine(), "rows": rows, "ratios": ratios, **more}
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{bench}.json"
    path.write_text(json.dumps(_rounded(found), indent=1, ensure_ascii=False) + "\n", "utf-8")
    return path


def load(bench: str) -> dict[str, Any] | None:
    """Return what was saved, None when there is nothing."""
    path = FOLDER / f"{bench}.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else None


@contextmanager
def own_tmpfs() -> Iterator[str]:
    """Mount a tmpfs for one run and yield its path: a filesystem mark there sees nothing else of the machine."""
    root = tempfile.mkdtemp(prefix="hostseal-files-")
    subprocess.run(["mount", "-t", "tmpfs", "hostseal-files", root], check=True)
    try:
        yield root
    finally:
        subprocess.run(["umount", "--lazy", root], check=True)
        os.rmdir(root)


@contextmanager
def on_disk() -> Iterator[Path]:
    """Yield a folder where fsync(2) costs what it costs: not a tmpfs."""
    folder = Path(tempfile.mkdtemp(prefix="hostseal-files-", dir="/var/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.3g}")
    if isinstance(value, Mapping):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list | tuple) else value
