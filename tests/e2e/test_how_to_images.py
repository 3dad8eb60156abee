"""The how-to page about images, followed to the letter, with the session's keys and lab."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from e2e.test_how_to import commands
from hostseal.core.images import Image
from lab_site.images import ImageSite

pytest_plugins = ["e2e.image_fixture"]
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
ROOT = Path(__file__).parents[2]


def test_build_an_image(image_site: ImageSite, current: Image, tmp_path: Path) -> None:
    names = {
        "$PWD/.images": str(tmp_path),
        ".images/keys": str(image_site.keys),
        ".images": str(tmp_path),
        "HOSTSEAL_LAB=web": f"HOSTSEAL_LAB={image_site.prefix}",
        "labs/web/": f"labs/{image_site.prefix}/",
        "@web-web-1-g1": f"@{image_site.prefix}-web-1-g1",
    }
    lines = [
        line.replace(f"{tmp_path}/keys", str(image_site.keys))
        for line in commands("build-an-image.md", names)
    ]
    settings = "; ".join(line for line in lines if line.startswith("export "))
    said: list[str] = []
    for line in lines:
        if line.startswith("export "):
            continue
        done = subprocess.run(
            ["bash", "-ec", f"{settings}; {line.replace('DIGEST', current.digest)}"],
            cwd=ROOT,
            env={**os.environ, "MAKEFLAGS": ""},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        said.append(done.stdout)
    build, listed, shown, promoted, created, verified, destroyed, revoked = said[-8:]
    assert json.loads(build)["digest"] == current.digest
    assert listed.startswith(f"candidate  {current.digest}")
    assert json.loads(shown)["provenance"]["image"] == current.digest
    assert promoted.startswith(f"current {current.digest}, tested ")
    assert json.loads(created)["slot"] == "web-1"
    assert verified.startswith("intact: ")
    assert json.loads(destroyed) == {"removed": [f"{image_site.prefix}-web-1-g1"]}
    assert revoked == f"revoked {current.digest}\n"
