"""Which `opa`, `tofu` and `go` on a PATH will do: the choice, without the building."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

Version = tuple[int, ...]

ANSWER_SECONDS = 30
OPA_VERSION = re.compile(r"^Version: v?(\d+)\.(\d+)\.(\d+)\s*$", re.MULTILINE)
# Both have the built-in resource terraform_data from these versions on, and speak the same plan format.
TOFU_VERSIONS = {
    "tofu": (re.compile(r"^OpenTofu v(\d+)\.(\d+)\.(\d+)", re.MULTILINE), (1, 6, 0)),
    "terraform": (re.compile(r"^Terraform v(\d+)\.(\d+)\.(\d+)", re.MULTILINE), (1, 5, 0)),
}
GO_VERSION = re.compile(r"\bgo(\d+)\.(\d+)(?:\.(\d+))? ")


def pinned(go_mod: str, module: str) -> Version:
    """Return the version at which a go.mod pins a module. Raises LookupError when it does not."""
    found = re.search(rf"^\s*(?:require )?{re.escape(module)} v(\d+)\.(\d+)\.(\d+)\b", go_mod, re.MULTILINE)
    if found is None:
        raise LookupError(f"go.mod has no {module}")
    return _numbers(found)


def least_go(go_mod: str) -> Version:
    """Return the oldest Go that a go.mod allows, its `go` directive. Raises LookupError when there is none."""
    found = re.search(r"^go (\d+)\.(\d+)(?:\.(\d+))?\s*$", go_mod, re.MULTILINE)
    if found is None:
        raise LookupError("go.mod has no go directive")
    return _numbers(found)


def usable_opa(path: str, least: Version, *, except_in: Path) -> Path | None:
    """Return the first `opa` on `path` of at least this version and of the same major one, or None.

    `except_in` is our own folder of links: what is in there is a result of this choice, not a candidate.
    """
    for candidate in _on_path("opa", path):
        if candidate.parent.resolve() == except_in.resolve():
            continue
        version = _answer([candidate, "version"], OPA_VERSION)
        if version is not None and version >= least and version[0] == least[0]:
            return candidate
    return None


def usable_tofu(path: str, *, except_in: Path) -> Path | None:
    """Return the first `tofu` on `path` that is new enough, else the first such `terraform`, or None."""
    for name, (pattern, least) in TOFU_VERSIONS.items():
        for candidate in _on_path(name, path):
            if candidate.parent.resolve() == except_in.resolve():
                continue
            version = _answer([candidate, "version"], pattern)
            if version is not None and version >= least and version[0] == least[0]:
                return candidate
    return None


def usable_go(path: str, least: Version) -> Path | None:
    """Return the first `go` on `path` of at least this version, or None. None of them is let fetch another."""
    for candidate in _on_path("go", path):
        version = _answer([candidate, "version"], GO_VERSION)
        if version is not None and version >= least:
            return candidate
    return None


def dotted(version: Version) -> str:
    """Return a version as people write it."""
    return ".".join(map(str, version))


def _on_path(name: str, path: str) -> Iterator[Path]:
    for folder in path.split(os.pathsep):
        candidate = Path(folder) / name
        if folder and candidate.is_file() and os.access(candidate, os.X_OK):
            yield candidate


def _answer(argv: list[str | Path], pattern: re.Pattern[str]) -> Version | None:
    env = {**os.environ, "GOTOOLCHAIN": "local", "CHECKPOINT_DISABLE": "1"}
    try:
        said = subprocess.run(
            argv, capture_output=True, text=True, check=True, timeout=ANSWER_SECONDS, env=env
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None  # a broken candidate is no candidate; the next one is asked
    found = pattern.search(said.stdout)
    return None if found is None else _numbers(found)


def _numbers(found: re.Match[str]) -> Version:
    return tuple(int(part or 0) for part in found.groups())
