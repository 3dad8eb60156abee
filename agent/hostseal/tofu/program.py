"""The program: `tofu`, else `terraform`, found on PATH; called without anything of the caller's own."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from hostseal.errors import LauncherError

_SECONDS = 900.0
_OWN = ("TF_CLI_ARGS", "TF_VAR_", "TF_WORKSPACE", "TF_LOG", "TF_REATTACH_PROVIDERS", "TF_ENCRYPTION")


def find() -> Path:
    """Return the program; LauncherError when there is none."""
    for name in ("tofu", "terraform"):
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    raise LauncherError("neither tofu nor terraform is on PATH", hint="`make tools` builds tofu")


def environment(data: Path, launcher: Path, added: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a run. `data`: the program's own folder; `launcher`: what provisioners call."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
    return {
        **kept,
        **added,
        "PATH": f"{launcher.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "TF_DATA_DIR": str(data),
        "TF_CLI_CONFIG_FILE": os.devnull,
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
    }


def call(argv: Sequence[str | Path], env: Mapping[str, str]) -> str:
    """Run one command and return its output; LauncherError with what it said when it fails."""
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except OSError as error:
        raise LauncherError(f"{words[0]} cannot be run: {error}") from error
    except subprocess.TimeoutExpired as error:
        raise LauncherError(f"{words[0]} {words[2]} was not done after {_SECONDS:.0f} s") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-3000:]
        raise LauncherError(f"{Path(words[0]).name} {words[2]} ended with status {done.returncode}: {said}")
    return done.stdout
