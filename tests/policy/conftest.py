"""What the policies' tests share: the real OPA, the policies, a site's data and its signed bundle."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hostseal.policy import bundle, signing
from policy.opa_server import OpaServer

ROOT = Path(__file__).parents[2]


class Signed(NamedTuple):
    """A bundle with the keys it was signed by."""

    path: Path
    revision: str
    private: Path
    public: Path


@pytest.fixture(scope="session")
def opa() -> Path:
    """The real OPA; without one these tests fail."""
    built = ROOT / ".tools" / "bin" / "opa"
    named = os.environ.get("HOSTSEAL_OPA") or (str(built) if built.exists() else "opa")
    found = shutil.which(named)
    assert found, f"{named} is not a program: run `make tools`, or name one by HOSTSEAL_OPA"
    return Path(found).absolute()


@pytest.fixture(scope="session")
def policies() -> Path:
    """The policies as they lie in the checkout."""
    return ROOT / "policies"


@pytest.fixture(scope="session")
def site() -> dict[str, Any]:
    """A site with hosts of each mode."""
    data: dict[str, Any] = json.loads((ROOT / "tests" / "policy" / "site.json").read_bytes())
    return data


@pytest.fixture(scope="session")
def signed(
    opa: Path, policies: Path, site: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Signed:
    """A bundle of the site, signed."""
    folder = tmp_path_factory.mktemp("bundle")
    private, public, out = folder / "bundle.key", folder / "bundle.pub", folder / "bundle.tar.gz"
    signing.generate_key_pair(private, public)
    return Signed(out, bundle.build(opa, policies, site, out, private), private, public)


@pytest.fixture(scope="session")
def server(opa: Path, signed: Signed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpaServer]:
    """An OPA that has loaded the site's bundle."""
    with OpaServer(opa, tmp_path_factory.mktemp("opa"), signed.path, signed.public) as running:
        running.wait_for(200)
        yield running
