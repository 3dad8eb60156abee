"""Builds the bundle that hosts get: the policies with the site's data, under one revision, signed."""

import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hostseal import durable
from hostseal.errors import PolicyError
from hostseal.policy import signing
from hostseal.policy.sources import MANIFEST, collect

SECONDS = 60


def build(
    opa: Path,
    policies: Path,
    site: Mapping[str, Any],
    out: Path,
    signing_key: Path | None,
    rules: Sequence[Path] = (),
) -> str:
    """Build the bundle into `out` and return its revision.

    The revision is a digest of what is in the bundle: the policies without their tests, and `site` merged over
    their default data. An `out` that already has it, intact and signed by this key, is left as it is; otherwise it
    is replaced whole. Raises PolicyError for site data of another shape, for policies that OPA
    does not take, for an unusable key, and when OPA cannot be run or takes more than SECONDS.
    """
    program = _program(opa)
    files = collect(policies, site, rules)
    revision = _revision(files)
    with tempfile.TemporaryDirectory(prefix="hostseal-bundle-") as name:
        work = Path(name)
        verification: list[str] = []
        if signing_key is not None:
            public = work / "bundle.pub"
            public.write_bytes(signing.public_key(signing_key))
            verification = ["--verification-key", str(public), "--signing-alg", signing.ALGORITHM]
            if _holds(program, out, revision, verification, work):
                return revision
        fresh = work / "bundle.tar.gz"
        signature = [] if signing_key is None else ["--signing-key", str(signing_key.resolve())]
        algorithm = [] if signing_key is None else ["--signing-alg", signing.ALGORITHM]
        _stage(files, work / "content")
        arguments = ["build", "--bundle", ".", "--revision", revision, "--output", str(fresh)]
        _run([program, *arguments, *signature, *algorithm], work / "content")
        durable.write(out, fresh.read_bytes(), mode=0o644)
    return revision


def _program(opa: Path) -> str:
    found = shutil.which(opa)
    if found is None:
        raise PolicyError(
            f"{opa} is not a program", hint="`make tools` builds OPA; HOSTSEAL_OPA names another one"
        )
    return str(Path(found).absolute())


def _revision(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{len(name.encode())} {name} {len(content)} ".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _stage(files: Mapping[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _holds(program: str, out: Path, revision: str, verification: Sequence[str], work: Path) -> bool:
    """Whether `out` is a bundle of this revision whose content is what this key signed."""
    try:
        with tarfile.open(out) as archive:
            member = archive.extractfile(f"/{MANIFEST}")
            found = None if member is None else json.load(member).get("revision")
        if found != revision:
            return False
        _run(
            [
                program,
                "build",
                "--bundle",
                str(out.resolve()),
                "--output",
                str(work / "checked"),
                *verification,
            ],
            work,
        )
    except (
        OSError,
        EOFError,
        zlib.error,
        tarfile.TarError,
        KeyError,
        ValueError,
        AttributeError,
        PolicyError,
    ):
        return False  # whatever is wrong with it, it is replaced
    return True


def _run(command: Sequence[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PolicyError(f"opa build took more than {SECONDS} s", hint=command[0]) from error
    except OSError as error:
        raise PolicyError(f"opa cannot be run: {error}", hint=command[0]) from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise PolicyError(f"OPA does not take these policies: {said}", hint=command[0])
