"""An OPA with the settings that the role writes on a host: the role's own template, rendered for this test's places."""

import shutil
from pathlib import Path
from typing import Any

import jinja2
import yaml

from hostseal.config.settings import OpaSettings
from hostseal.policy.signing import named
from hostseal.trial import opa_child
from integration.bundles.bundle_server import TOKEN, BundleServer
from integration.ledger.server import LedgerServer
from policy.opa_server import TOKEN as AGENT_TOKEN
from policy.opa_server import OpaServer

ROLE = Path(__file__).parents[3] / "collections/ansible_collections/hostseal/core/roles/opa"
POLL_SECONDS = 1


def settings(keys: Path, **variables: Any) -> str:
    """Return `opa.yaml` as the role writes it; what is not said has the role's default."""
    key = named(keys / "bundle.pub")
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    said = {
        **{
            name: defaults[name]
            for name in ("hostseal_bundle_url", "hostseal_bundle_token", "hostseal_ledger_url")
        },
        "ansible_managed": "Ansible managed",
        "hostseal_keys_dir": str(keys),
        "hostseal_opa_key": {"id": key.id, "algorithm": key.algorithm},
        "lookup": lambda _, path: Path(path).read_text().rstrip("\n"),
        **variables,
    }
    environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined, autoescape=False)
    return environment.from_string((ROLE / "templates/opa.yaml.j2").read_text()).render(said)


class HostOpa(OpaServer):
    """One host's policy engine, polling a bundle server; it can be ended and started again with what it kept."""

    def __init__(self, folder: Path, keys: Path, server: BundleServer) -> None:
        folder.mkdir(parents=True)
        super().__init__(opa_child.find().absolute(), folder, folder / "unused", keys / "bundle.pub")
        self._server = server
        self.kept = folder / "state"
        self.kept.mkdir()
        (folder / "bundle-token").write_text(TOKEN)
        (folder / "agent-token").write_text(AGENT_TOKEN)
        shutil.copy(server.ca, folder / "bundle-ca.pem")
        self.configure(keys)

    def configure(self, keys: Path, **more: Any) -> None:
        """Write the settings for the key in `keys`, as the role does."""
        text = settings(
            keys,
            hostseal_bundle_url=self._server.url,
            hostseal_bundle_token="token",
            hostseal_bundle_poll_seconds=POLL_SECONDS,
            **more,
        )
        places = {
            "/var/lib/opa": self.kept,
            "/etc/hostseal/bundles/ca.pem": self.folder / "bundle-ca.pem",
            "/run/credentials/opa.service/bundle-token": self.folder / "bundle-token",
        }
        if "hostseal_ledger_url" in more:
            places["/etc/hostseal/ledger/ca.pem"] = self.folder / "ledger-ca.pem"
            places["/run/credentials/opa.service/ledger-token"] = self.folder / "ledger-token"
        for on_host, here in places.items():
            assert text.count(on_host) == 1, f"the role's settings no longer say {on_host}"
            text = text.replace(on_host, str(here))
        (self.folder / "opa.yaml").write_text(text)

    @property
    def settings(self) -> OpaSettings:
        """The agent's settings for this OPA."""
        return OpaSettings(
            url=f"https://127.0.0.1:{self.port}",
            ca=str(self.folder / "server.pem"),
            token_file=str(self.folder / "agent-token"),
            timeout_seconds=5.0,
            watch_seconds=0.2,
        )

    def report_to(self, ledger: LedgerServer, name: str, keys: Path) -> None:
        """Have it post its decisions to a ledger too, as the host of that name."""
        (self.folder / "ledger-token").write_text(ledger.token(name))
        shutil.copy(ledger.certificate, self.folder / "ledger-ca.pem")
        self.configure(keys, hostseal_ledger_url=ledger.url, hostseal_ledger_delay_seconds=1)

    @property
    def persisted(self) -> Path:
        """The last good bundle, as OPA keeps it."""
        return self.kept / "bundles/hostseal/bundle.tar.gz"

    def revision(self) -> str:
        """Return the revision that a decision is made by."""
        status, answer = self.ask(
            "/v1/data/hostseal/event/decision?provenance=true", {"input": {"event": {}, "standing": {}}}
        )
        assert status == 200, answer
        found: str = answer["provenance"]["bundles"]["hostseal"]["revision"]
        return found
