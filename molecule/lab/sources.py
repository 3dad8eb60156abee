"""The machine's own apt sources and transport settings: used for a bake, never written into the project."""

import os
from pathlib import Path

from lab.errors import LabError
from lab.process import call

SUITE = "bookworm"
OVERRIDE = "HOSTSEAL_LAB_APT_SOURCES"
_TRANSPORT = ("Acquire::Check-", "Acquire::http", "Acquire::https", "Acquire::Retries", "Acquire::ForceIPv")


def source_files() -> list[Path]:
    """Return the apt source files that carry the image's suite; raise LabError if there is none."""
    chosen = os.environ.get(OVERRIDE)
    if chosen:
        candidates = [Path(chosen)]
    else:
        apt = Path("/etc/apt")
        candidates = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    found = [
        path
        for path in candidates
        if path.is_file() and path.suffix in {".list", ".sources"} and SUITE in _without_comments(path)
    ]
    if not found:
        raise LabError(
            f"none of this machine's apt sources carries Debian's {SUITE}",
            f"set {OVERRIDE} to a .list or .sources file that does",
        )
    return found


def transport_settings() -> str:
    """Return the machine's settings for fetching (proxies, retries, date checks) as an apt.conf(5)."""
    lines = call(["apt-config", "dump"]).splitlines()
    return "".join(f"{line}\n" for line in lines if line.startswith(_TRANSPORT))


def _without_comments(path: Path) -> str:
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
