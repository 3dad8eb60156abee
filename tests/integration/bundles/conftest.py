"""What the bundle tests share: a site with its keys, and the command that builds what is served."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hostseal.policy.signing import generate_key_pair
from hostseal.trial import opa_child
from integration.bundles.bundle_server import BundleServer

ROOT = Path(__file__).parents[3]
HOSTSEAL = Path(sys.executable).with_name("hostseal")
MONDAY, TUESDAY, WEDNESDAY = (f"2026-11-{day}T08:00:00Z" for day in (23, 24, 25))


class Site:
    """A site: keys in a folder each, its data, and the server that its hosts ask."""

    def __init__(self, folder: Path, server: BundleServer) -> None:
        self.folder, self.server = folder, server
        self.keys = self.key("keys")
        self.out = folder / "bundle.tar.gz"

    def key(self, name: str) -> Path:
        """Make a folder with a key pair in it."""
        folder = self.folder / name
        folder.mkdir()
        generate_key_pair(folder / "bundle.key", folder / "bundle.pub")
        return folder

    def build(
        self, issued: str, *options: str | Path, keys: tuple[Path, ...] = (), **data: Any
    ) -> dict[str, Any]:
        """Build and serve a bundle by the command line; return what it prints."""
        site = self.folder / "site.json"
        site.write_text(json.dumps(data))
        words = ["build", "--policies", ROOT / "policies", "--site", site, "--issued", issued, *options]
        return self.run(*words, *self.signing(keys), "--serve", self.server.www, "--out", self.out)

    def signing(self, keys: tuple[Path, ...] = ()) -> list[str | Path]:
        """Return the options that name the signing keys."""
        return [word for folder in keys or (self.keys,) for word in ("--signing-key", folder / "bundle.key")]

    def run(self, *words: str | Path) -> dict[str, Any]:
        """Run `hostseal policy`; return what it prints."""
        done = self.tried(*words)
        assert done.returncode == 0, done.stderr
        printed: dict[str, Any] = json.loads(done.stdout)
        return printed

    def tried(self, *words: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run `hostseal policy`, whatever becomes of it."""
        command = [HOSTSEAL, "policy", *words, "--opa", opa_child.find().absolute()]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    def served(self, keys: Path | None = None) -> Path:
        """Return the file that hosts with this key fetch."""
        from hostseal.policy.signing import named

        return self.server.www / named((keys or self.keys) / "bundle.pub").id / "bundle.tar.gz"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site whose bundle server runs."""
    with BundleServer(tmp_path / "server") as server:
        yield Site(tmp_path, server)
