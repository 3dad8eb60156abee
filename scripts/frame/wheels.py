"""Pinned requirements turned into wheels: downloaded by hash, sources built, kept by the content of the pins."""

import os
import platform
import subprocess
from pathlib import Path

from frame.cache import cache_root, digest_of, filled
from frame.places import REQUIREMENTS
from frame.progress import run

BUILD, RUNTIME, LEDGER, DEV = "build", "runtime", "ledger", "dev"


def tag_of(python: Path) -> str:
    """Return what a built wheel depends on: this Python's version and ABI, and the machine."""
    code = "import sys, sysconfig; print(sys.version_info[:2], sysconfig.get_config_var('SOABI'))"
    facts = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    return f"{facts} {platform.libc_ver()[0]} {platform.machine()}"


def wheels(python: Path, name: str) -> Path:
    """Return the cached folder of wheels of requirements/NAME.txt for the environment of `python`.

    Each file that is fetched must match a hash of the pins. A source is built with the build tools that are
    already in that environment, never with tools fetched for the occasion. Raises FrameError.
    """
    pins = REQUIREMENTS / f"{name}.txt"
    sources = [pins] if name == BUILD else [pins, REQUIREMENTS / f"{BUILD}.txt"]
    target = cache_root(os.environ) / "wheels" / digest_of(sources, tag_of(python))

    def fill(folder: Path) -> None:
        argv: list[str | Path] = [python, "-m", "pip", "wheel", "--disable-pip-version-check", "--no-deps"]
        argv += ["--require-hashes", "--no-build-isolation", "-r", pins, "-w", folder]
        run(f"fetch and build the {name} wheels", argv)

    return filled(target, fill)


def install(python: Path, folder: Path) -> None:
    """Put every wheel of a folder into the environment of `python`, from the folder alone. Raises FrameError."""
    argv: list[str | Path] = [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-index"]
    argv += ["--no-deps", *sorted(folder.glob("*.whl"))]
    run(f"install {len(list(folder.glob('*.whl')))} wheels", argv)
