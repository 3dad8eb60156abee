"""Makes .venv: pinned dependencies by hash, then the project itself, editable. Does nothing when all is current."""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

from frame.cache import digest_of, locked
from frame.environment import base_python, make_environment
from frame.errors import exit_status
from frame.places import LOCKS, REQUIREMENTS, ROOT, VENV, VENV_PYTHON
from frame.progress import run, say
from frame.system_packages import ensure_system_packages
from frame.wheels import BUILD, DEV, LEDGER, RUNTIME, install, tag_of, wheels

STAMP = VENV / "hostseal-setup.json"


def chosen_python(found: Mapping[str, str], env: Mapping[str, str]) -> Path:
    """Return the interpreter for .venv: the one it has, unless it is gone or $PYTHON names one."""
    present = found.get("python", "")
    if present and not env.get("PYTHON") and Path(present).exists():
        return Path(present)
    return base_python()


def wanted_stamp(python: Path) -> dict[str, str]:
    """Return what the environment and the project's own installation are made from."""
    pins = [REQUIREMENTS / f"{name}.txt" for name in (BUILD, RUNTIME, LEDGER, DEV)]
    return {
        "python": str(python),
        "dependencies": digest_of(pins, str(python), tag_of(python), str(ROOT)),
        "project": digest_of([ROOT / "pyproject.toml", ROOT / "scripts" / "hatch_build.py"]),
    }


def read_stamp(stamp: Path) -> dict[str, str]:
    """Return what the last complete setup recorded; empty when there was none or it cannot be read."""
    try:
        recorded = json.loads(stamp.read_text())
    except (OSError, ValueError):
        return {}
    return recorded if isinstance(recorded, dict) else {}


def main(_arguments: list[str]) -> None:
    """Bring .venv up to date. Raises FrameError."""
    with locked(LOCKS / "setup"):
        ensure_system_packages()
        found = read_stamp(STAMP)
        python = chosen_python(found, os.environ)
        wanted = wanted_stamp(python)
        if found == wanted and VENV_PYTHON.exists():
            return
        started = time.monotonic()
        say(f"setup: with {python}")
        STAMP.unlink(missing_ok=True)
        if found.get("dependencies") != wanted["dependencies"] or not VENV_PYTHON.exists():
            make_environment(python, VENV)
            for name in (RUNTIME, LEDGER, DEV):
                install(VENV_PYTHON, wheels(VENV_PYTHON, name))
        _install_project()
        STAMP.write_text(json.dumps(wanted, indent=2) + "\n")
        say(f"setup: done in {time.monotonic() - started:.1f} s")


def _install_project() -> None:
    argv: list[str | Path] = [VENV_PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-deps"]
    run("install hostseal, editable", [*argv, "--no-index", "--no-build-isolation", "--editable", ROOT])


if __name__ == "__main__":
    raise SystemExit(exit_status(main))
