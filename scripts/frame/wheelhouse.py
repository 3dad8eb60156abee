"""Collects the wheels that a lab host installs the agent from: hosts have no way out.

Prints the folder's path as its last line. Use: pip install --no-index --find-links FOLDER hostseal
With the argument `ledger`, also what the ledger's own host needs: hostseal[ledger]. Sealed hosts do without.
"""

import os
import shutil
import subprocess
from pathlib import Path

from frame.cache import cache_root, digest_of, filled
from frame.environment import cached_environment
from frame.errors import FrameError, exit_status
from frame.places import REQUIREMENTS, ROOT, VENV_PYTHON
from frame.progress import run
from frame.wheels import BUILD, LEDGER, RUNTIME, wheels

HOST_PYTHON = Path("/usr/bin/python3.11")
KEPT_WHEELHOUSES = 8


def main(arguments: list[str]) -> None:
    """Make the wheelhouse if its content changed, and print where it is. Raises FrameError."""
    unknown = [argument for argument in arguments if argument != LEDGER]
    if unknown:
        raise FrameError(f"no such extra: {', '.join(unknown)}", hint=f"there is {LEDGER}")
    if not VENV_PYTHON.exists():
        raise FrameError(".venv is not there: hostseal's own wheel is built with it", hint="make setup")
    python = _python_of_the_hosts()
    third_party = [wheels(python, name) for name in (RUNTIME, *arguments)]
    own = _own_wheel()
    houses = cache_root(os.environ) / "wheelhouse"

    def fill(folder: Path) -> None:
        for wheel in (wheel for place in (*third_party, own) for wheel in place.glob("*.whl")):
            shutil.copy2(wheel, folder)

    house = filled(houses / digest_of([], *(place.name for place in third_party), own.name), fill)
    _prune(houses)
    _prune(own.parent)
    print(house)


def source_files(root: Path) -> list[Path]:
    """Return, in a stable order, the files that hostseal's own wheel is made from."""
    single = [root / name for name in ("pyproject.toml", "README.md", "LICENSE", "scripts/hatch_build.py")]
    trees = [
        file for tree in ("agent/hostseal", "policies") for file in (root / tree).rglob("*") if file.is_file()
    ]
    return sorted(single) + sorted(file for file in trees if "__pycache__" not in file.parts)


def _own_wheel() -> Path:
    sources = source_files(ROOT)
    names = [str(file.relative_to(ROOT)) for file in sources]
    build_tools = (REQUIREMENTS / f"{BUILD}.txt").read_text()

    def fill(folder: Path) -> None:
        argv: list[str | Path] = [
            VENV_PYTHON,
            "-m",
            "pip",
            "wheel",
            "--disable-pip-version-check",
            "--no-deps",
        ]
        run("build hostseal's wheel", [*argv, "--no-index", "--no-build-isolation", "-w", folder, ROOT])

    return filled(cache_root(os.environ) / "own-wheel" / digest_of(sources, *names, build_tools), fill)


def _python_of_the_hosts() -> Path:
    """Return a Python 3.11 with the build tools: .venv's if it is one, else an environment in the cache."""
    code = "import sys; print(*sys.version_info[:2], sep='.')"
    ours = subprocess.run([VENV_PYTHON, "-c", code], capture_output=True, text=True, check=True)
    if ours.stdout.strip() == "3.11":
        return VENV_PYTHON
    if not HOST_PYTHON.exists():
        raise FrameError(
            f"the hosts run Python 3.11, and there is no {HOST_PYTHON}", hint="apt-get install python3.11"
        )
    return cached_environment(HOST_PYTHON) / "python"


def _prune(parent: Path) -> None:
    folders = [entry for entry in parent.iterdir() if entry.is_dir() and not entry.name.endswith(".part")]
    newest_first = sorted(folders, key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in newest_first[KEPT_WHEELHOUSES:]:
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_name(f"{folder.name}.lock").unlink(missing_ok=True)


if __name__ == "__main__":
    raise SystemExit(exit_status(main))
