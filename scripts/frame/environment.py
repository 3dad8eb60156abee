"""Virtual environments with the pinned build tools, and those of single programs in the cache."""

import os
import shutil
import sys
from pathlib import Path

from frame.cache import cache_root, digest_of, locked
from frame.places import REQUIREMENTS
from frame.progress import run
from frame.wheels import BUILD, install, tag_of, wheels


def make_environment(python: Path, directory: Path) -> Path:
    """Replace `directory` by a fresh environment of `python` with the pinned build tools; return its Python."""
    shutil.rmtree(directory, ignore_errors=True)
    run(f"make {directory.name}", [python, "-m", "venv", directory])
    made = directory / "bin" / "python"
    install(made, wheels(made, BUILD))
    return made


def base_python() -> Path:
    """Return the interpreter that runs this, outside any virtual environment it may be in."""
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def cached_environment(python: Path, *names: str) -> Path:
    """Return the bin/ of an environment in the cache that holds requirements/NAME.txt for each name.

    The build tools are always in it. Raises FrameError.
    """
    pins = [REQUIREMENTS / f"{name}.txt" for name in (BUILD, *names)]
    digest = digest_of(pins, tag_of(python), str(python))
    home = cache_root(os.environ) / "environment" / "-".join([*(names or (BUILD,)), digest])
    done = home / "complete"
    with locked(home.with_name(f"{home.name}.lock")):
        if not done.exists():
            made = make_environment(python, home)
            for name in names:
                install(made, wheels(made, name))
            done.touch()
    return home / "bin"
