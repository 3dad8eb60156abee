"""What the tests of a watched OPA share."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostseal.policy import bundle, signing
from hostseal.trial import opa_child
from integration.opa.peer import Peer

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def policy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A signed bundle of the policies and its public key."""
    folder = tmp_path_factory.mktemp("policy")
    signing.generate_key_pair(folder / "key", folder / "pub")
    site = json.loads((ROOT / "tests/policy/site.json").read_bytes())
    bundle.build(opa_child.find(), ROOT / "policies", site, folder / "bundle.tar.gz", folder / "key")
    return folder / "bundle.tar.gz", folder / "pub"


@pytest.fixture
def peer(policy: tuple[Path, Path]) -> Iterator[Peer]:
    """A bundle server and a ledger that takes everything, for now."""
    with Peer(policy[0]) as running:
        yield running
