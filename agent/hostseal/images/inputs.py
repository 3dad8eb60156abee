"""What an image is made from, as digests: the same inputs need no second build."""

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import msgspec

from hostseal.core.seal_format import image_digest
from hostseal.errors import ImageError
from hostseal.seal.walk import scan

# What of the repository goes into an image, or decides how it is made.
CHECKOUT = ("agent/dist", "collections/ansible_collections/hostseal/core", "playbooks", "policies")
PUBLIC_KEYS = ("bundle", "pardon", "enrolment", "seal")
_BYTE_CODE = (b"__pycache__", b".pyc")


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """Where the inputs are. `keys` is the folder of private keys, of which only the public halves are inputs.

    `variables` (JSON) are the roles' further variables, `tasks` a file of Ansible tasks: what the hosts are there for.
    """

    checkout: Path
    keys: Path
    site: Path
    opa: Path
    wheelhouse: Path
    variables: Path | None = None
    tasks: Path | None = None


def digests(inputs: Inputs, base: str) -> dict[str, str]:
    """Return the name and SHA-256 of each input there is. `base` is the build instance's. ImageError when one is missing."""
    found = {"base": base}
    for name in CHECKOUT:
        found[name] = _tree(inputs.checkout / name)
    found["wheelhouse"] = _tree(inputs.wheelhouse)
    files = {"site": inputs.site, "opa": inputs.opa, "variables": inputs.variables, "tasks": inputs.tasks}
    for name, file in files.items():
        if file is not None:
            found[name] = _file(file)
    for name in PUBLIC_KEYS:
        path = inputs.keys / f"{name}.pub"
        # Bundle and pardon keys are made by the roles when they are missing: then nothing can be in the cache yet.
        if path.exists():
            found[f"{name}.pub"] = _file(path)
    return found


def together(found: Mapping[str, str]) -> str:
    """Return one digest (hex) over all."""
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def commit(checkout: Path) -> str:
    """Return the commit that the repository is at, `COMMIT and changes` with uncommitted ones, `unknown` without git."""
    try:
        head = _git(checkout, "rev-parse", "HEAD")
        return f"{head} and uncommitted changes" if _git(checkout, "status", "--porcelain") else head
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def _git(checkout: Path, *words: str) -> str:
    argv = ["git", "-C", str(checkout), *words]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def _tree(top: Path) -> str:
    if not top.is_dir():
        raise ImageError(f"an image is made from {top}, which is not there")
    found = scan(os.fsencode(top))
    return image_digest(
        (folder, msgspec.structs.replace(item, uid=0, gid=0))
        for folder, item in found.items
        if not any(part in os.path.join(folder, item.name) for part in _BYTE_CODE)
    )


def _file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise ImageError(f"an image is made from {path}: {os.strerror(error.errno or 0)}") from error
