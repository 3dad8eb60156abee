"""Writes requirements/*.txt from requirements/*.in: exact versions and hashes for every supported Python."""

import os
from pathlib import Path

from frame.environment import base_python, cached_environment
from frame.errors import FrameError, exit_status
from frame.places import REQUIREMENTS
from frame.progress import run
from frame.wheels import BUILD, DEV, LEDGER, RUNTIME

# Each file may use only what the files named beside it have already pinned, where they overlap.
ORDER: dict[str, tuple[str, ...]] = {
    BUILD: (),
    "go": (),
    "pin": (),
    RUNTIME: (),
    LEDGER: (RUNTIME,),
    DEV: (RUNTIME, LEDGER, BUILD),
}
OPTIONS = (
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-annotate",
    "--no-header",
    "--quiet",
)


def main(arguments: list[str]) -> None:
    """Pin the named files, or all. What is pinned stays so unless its .in asks otherwise or --upgrade is given."""
    extra = [argument for argument in arguments if argument == "--upgrade"]
    names = [argument for argument in arguments if argument not in extra] or list(ORDER)
    unknown = [name for name in names if name not in ORDER]
    if unknown:
        raise FrameError(f"no such requirements: {', '.join(unknown)}", hint=f"there are {', '.join(ORDER)}")
    uv = cached_environment(base_python(), "pin") / "uv"
    for name in ORDER:
        if name in names:
            _pin(uv, name, extra)


def _pin(uv: Path, name: str, extra: list[str]) -> None:
    constraints = [option for other in ORDER[name] for option in ("--constraint", f"{other}.txt")]
    argv: list[str | Path] = [
        uv,
        "pip",
        "compile",
        *OPTIONS,
        *extra,
        *constraints,
        f"{name}.in",
        "-o",
        f"{name}.txt",
    ]
    # uv trusts its own authorities unless told to use the machine's.
    run(f"pin {name}", argv, cwd=REQUIREMENTS, env={**os.environ, "UV_SYSTEM_CERTS": "true"})


if __name__ == "__main__":
    raise SystemExit(exit_status(main))
