"""What the ledger's tests share: the service, and a real OPA that posts to it."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hostseal.policy import bundle, signing
from hostseal.trial import opa_child
from integration.ledger.server import LedgerServer
from policy.opa_server import OpaServer

ROOT = Path(__file__).parents[3]
SAMPLE = json.loads((ROOT / "tests/samples/events/channel_shell.json").read_bytes())


class UploadingOpa(OpaServer):
    """An OPA as the role sets it up: it posts its decision log to a ledger with a host's token."""

    def __init__(
        self, folder: Path, bundle_file: Path, public: Path, ledger: LedgerServer, token: str
    ) -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(opa_child.find(), folder, bundle_file, public)
        (folder / "token").write_text(token)
        shutil.copy(ledger.certificate, folder / "ledger-ca.pem")
        config = folder / "opa.yaml"
        config.write_text(
            config.read_text()
            + "  service: ledger\n"
            + "  reporting: {min_delay_seconds: 1, max_delay_seconds: 1}\n"
            + "services:\n  ledger:\n"
            + f"    url: {ledger.url}/\n"
            + "    tls: {ca_cert: ledger-ca.pem}\n"
            + "    credentials: {bearer: {token_path: token}}\n"
        )


def event(host: str, number: int) -> dict[str, Any]:
    """Return an event of that host, with an id of its own."""
    named = {**SAMPLE["host"], "name": host}
    return {**SAMPLE, "id": f"{host}-event-{number}", "seq": number, "host": named}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerServer]:
    """A running ledger that hears of a host every half second."""
    folder = tmp_path / "ledger"
    folder.mkdir()
    with LedgerServer(folder, "--heartbeat-seconds", "0.5") as server:
        yield server


@pytest.fixture(scope="session")
def policy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A signed bundle of the policies and its public key."""
    folder = tmp_path_factory.mktemp("policy")
    signing.generate_key_pair(folder / "key", folder / "pub")
    site = json.loads((ROOT / "tests/policy/site.json").read_bytes())
    bundle.build(opa_child.find(), ROOT / "policies", site, folder / "bundle.tar.gz", folder / "key")
    return folder / "bundle.tar.gz", folder / "pub"


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LedgerServer, str]]:
    """A ledger that several tests post to, and the token of web-1-g1."""
    with LedgerServer(tmp_path_factory.mktemp("shared")) as server:
        yield server, server.token("web-1-g1")
