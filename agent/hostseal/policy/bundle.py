"""Builds the bundle that hosts get: the policies with the site's data, under one revision, signed."""

import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from hostseal import durable
from hostseal.errors import PolicyError
from hostseal.policy import signing
from hostseal.policy import site as site_data

SITE_DATA = "hostseal/site/data.json"
MANIFEST = ".manifest"
SECONDS = 60


def build(opa: Path, policies: Path, site: Mapping[str, Any], out: Path, signing_key: Path | None) -> str:
    """Build the bundle into `out` and return its revision.

    The revision is a digest of what is in the bundle: the policies without their tests, and `site` merged over
    their default data. An `out` that already has it, intact and signed by this key, is left as it is; otherwise it
    is replaced whole. Raises PolicyError for site data of another shape, for policies that OPA
    does not take, for an unusable key, and when OPA cannot be run or takes more than SECONDS.
    """
    program = _program(opa)
    files = _contents(policies, site)
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


def _contents(policies: Path, site: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the bundle's files by their name in it."""
    try:
        defaults = json.loads((policies / SITE_DATA).read_bytes())
        manifest = (policies / MANIFEST).read_bytes()
    except (OSError, ValueError) as error:
        raise PolicyError(f"these are not Hostseal's policies: {error}", hint=str(policies)) from error
    if not isinstance(site, Mapping):
        raise PolicyError("the site data is not a table of keys", hint="site data")
    merged = site_data.merge(defaults, site)
    rules = {
        str(PurePosixPath(path.relative_to(policies))): path.read_bytes()
        for path in policies.rglob("*.rego")
        if not path.name.endswith("_test.rego")
    }
    return {**rules, MANIFEST: manifest, SITE_DATA: msgspec.json.encode(merged, order="sorted")}


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
