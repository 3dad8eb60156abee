"""Debian packages that the project builds and tests with: installed by root, named for everybody else."""

import os
import shutil
import subprocess
from collections.abc import Collection, Iterable

from frame.errors import FrameError
from frame.progress import run, say

FOR_BUILDING = ("gcc", "libsystemd-dev", "pkg-config", "python3-dev", "python3-venv")
FOR_THE_LAB = (
    "ca-certificates",
    "dbus",
    "git",
    "haproxy",
    "iproute2",
    "mmdebstrap",
    "openssh-client",
    "packer",
    "procps",
    "rsync",
    "sqlite3",
    "systemd-container",
    "tmux",
    "util-linux",
)
APT_OPTIONS = ("-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300")


def missing(wanted: Iterable[str], installed: Collection[str]) -> list[str]:
    """Return the wanted packages that are not there, in order."""
    return [name for name in wanted if name not in installed]


def ensure_system_packages() -> None:
    """Install what is missing when root may; otherwise say what is missing and what it is for.

    Raises FrameError when something that building needs stays missing. What only the lab needs does not stop the rest.
    """
    if shutil.which("dpkg-query") is None:
        say("  not a Debian machine: looking for no packages (the lab needs Debian)")
        return
    installed = _installed()
    build, lab = missing(FOR_BUILDING, installed), missing(FOR_THE_LAB, installed)
    if not build and not lab:
        return
    if os.geteuid() == 0:
        _install(build + lab)
        return
    command = f"sudo apt-get install {' '.join(build + lab)}"
    if build:
        raise FrameError(f"missing for the build: {', '.join(build)}", hint=command)
    say(f"  missing for lab hosts only: {', '.join(lab)}; {command}")


def _installed() -> set[str]:
    argv = ["dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Package}\n", *FOR_BUILDING, *FOR_THE_LAB]
    listing = subprocess.run(argv, capture_output=True, text=True, check=False)
    rows = (line.partition(" ") for line in listing.stdout.splitlines())
    return {name.strip() for status, _, name in rows if status.startswith("ii")}


def _install(names: list[str]) -> None:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get update", ["apt-get", "update", *APT_OPTIONS], env=env)
    run(f"apt-get install {' '.join(names)}", ["apt-get", "install", *APT_OPTIONS, *names], env=env)
