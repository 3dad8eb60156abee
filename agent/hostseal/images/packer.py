"""How Packer is called: one template, a build instance, and what is said while it works."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from hostseal.errors import ImageError
from hostseal.launcher import BuildInstance, Launcher

TEMPLATE = "playbooks/pipeline/image.pkr.hcl"
_TAIL = 40


def version() -> str:
    """Return what Packer says of itself; ImageError when there is none."""
    try:
        done = subprocess.run(
            ["packer", "version"], capture_output=True, text=True, check=True, timeout=60, env=_quiet({})
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ImageError(
            "packer cannot be run", hint="apt-get install packer, or `make setup` as root"
        ) from error
    return done.stdout.splitlines()[0]


def build(
    checkout: Path,
    instance: BuildInstance,
    launcher: Launcher,
    *,
    capture: str,
    play_variables: Path,
    work: Path,
    say: Callable[[str], None],
) -> None:
    """Run `packer build`; ImageError with the end of what it said when it fails. `work` is a folder for its own files."""
    variables = {
        "host": instance.address,
        "user": instance.user,
        "private_key": instance.private_key,
        "ssh_arguments": instance.ssh_arguments,
        "ansible_playbook": str(Path(sys.executable).with_name("ansible-playbook")),
        "collections": str(checkout / "collections"),
        "play_variables": str(play_variables),
        "launcher": str(launcher.program),
        "capture": capture,
    }
    words = [word for name, value in variables.items() for word in ("-var", f"{name}={value}")]
    environment = _quiet(launcher.environment) | {
        "PACKER_CACHE_DIR": str(work / "packer"),
        "TMPDIR": str(work),
        "ANSIBLE_HOME": str(work / "ansible"),
    }
    # It ends with this process: an orphan would go on with an instance that the next build takes away.
    argv = [
        "setpriv",
        "--pdeathsig",
        "KILL",
        "packer",
        "build",
        "-color=false",
        *words,
        str(checkout / TEMPLATE),
    ]
    said: list[str] = []
    with subprocess.Popen(
        argv,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as running:
        for line in running.stdout or ():
            said.append(line)
            if "TASK [" in line or "==>" in line:
                say(line.strip())
    if running.returncode:
        raise ImageError(f"packer build ended with status {running.returncode}:\n{''.join(said[-_TAIL:])}")


def _quiet(environment: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, **environment, "CHECKPOINT_DISABLE": "1", "PACKER_NO_COLOR": "1"}
