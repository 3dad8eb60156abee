"""Real hosts fetch their policies from a web server: by the role, through an outage and a restart, and back to a file."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from e2e import record
from e2e.conftest import Fleet
from e2e.test_a_login_is_never_blocked import shell
from hostseal.policy.archive import pack, unpack
from hostseal.policy.content import SIGNATURES
from hostseal.policy.signing import named
from integration.bundles.bundle_server import TOKEN, BundleServer
from lab import Host
from lab.network import gateway
from lab_site import Site, install
from lab_site.install import REPO

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

UNCHANGED = "changed=0"
ALLOWED = "systemctl show --property=IPAddressAllow --value opa.service"
FILE = "/etc/hostseal/opa/bundle.tar.gz"


class Served:
    """The fleet's site with a bundle server; `would` is what a check said before, and `file_then` which file there was after it."""

    def __init__(self, site: Site, hosts: list[Host], server: BundleServer) -> None:
        self.site, self.hosts, self.server = site, hosts, server
        self.would = self.apply(check=True)
        self.file_then = said(hosts[0], f"ls {FILE}")
        self.apply()

    def apply(self, *, check: bool = False) -> str:
        """Apply the role to the hosts; return what Ansible printed."""
        return install(self.site, self.hosts, check=check, only=["opa"])

    def build(self, **data: Any) -> str:
        """Serve another revision, as an operator does without Ansible; return it."""
        build = self.site.keys / "build"
        changed = build / "next.json"
        changed.write_text(json.dumps({**json.loads((build / "site.json").read_text()), **data}))
        command = [
            Path(sys.executable).with_name("hostseal"), "policy", "build", "--policies", REPO / "policies",
            "--site", changed, "--signing-key", self.site.keys / "bundle.key", "--issued", "now",
            "--serve", self.server.www, "--out", build / "next.tar.gz", "--opa", REPO / ".tools/bin/opa",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        return str(json.loads(done.stdout)["revision"])

    @property
    def file(self) -> Path:
        """The bundle that hosts fetch."""
        return self.server.www / named(self.site.keys / "bundle.pub").id / "bundle.tar.gz"


def said(host: Host, script: str) -> str:
    """Return what root's script prints on the host."""
    return shell(host, script).strip()


def revision(host: Host) -> str:
    """Return the revision by which the policy decides about the next login."""
    seq = record.last_seq(host)
    assert host.ssh("deploy", "true").returncode == 0
    decided = record.wait_for(host, seq, "session.channel")["decision_id"]
    log = "/var/log/hostseal/decisions.jsonl"
    found = record.wait_until(
        lambda: host.peek(["grep", "-F", f'"decision_id":"{decided}"', log], check=False).stdout,
        what=f"the decision {decided} is in the log",
    )
    return str(json.loads(found.splitlines()[0])["bundles"]["hostseal"]["revision"])


def decides_by(host: Host, wanted: str) -> None:
    record.wait_until(lambda: revision(host) == wanted, what=f"{wanted} is in force on {host.name}")


@pytest.fixture(scope="module")
def served(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The fleet with its policies from a server; with files again afterwards."""
    folder = tmp_path_factory.mktemp("served")
    with BundleServer(folder / "server", gateway()) as server:
        (folder / "token").write_text(TOKEN)
        variables = {
            **fleet.site.variables,
            "hostseal_bundle_url": server.url,
            "hostseal_bundle_ca": str(server.ca),
            "hostseal_bundle_token": str(folder / "token"),
            "hostseal_bundle_serve_dir": str(server.www),
            "hostseal_bundle_poll_seconds": 1,
        }
        try:
            yield Served(replace(fleet.site, variables=variables), fleet.hosts, server)
        finally:
            install(fleet.site, fleet.hosts, only=["opa"])


def test_hosts_fetch_their_policies_and_keep_the_last_good_ones(
    fleet: Fleet, sealed: Host, served: Served
) -> None:
    assert "failed=0" in served.would
    assert served.file_then == FILE
    assert served.apply().count(UNCHANGED) >= len(served.hosts)
    assert said(sealed, f"ls {FILE} 2>/dev/null || echo gone") == "gone"
    assert gateway() in said(sealed, ALLOWED)
    first = json.loads(unpack(served.file)[".manifest"])["revision"]
    decides_by(sealed, first)
    second = served.build(deadline_seconds=3601)
    for host in served.hosts:
        decides_by(host, second)
    # Nobody signed this one.
    good = served.file.read_bytes()
    served.file.write_bytes(
        pack({name: body for name, body in unpack(served.file).items() if name != SIGNATURES})
    )
    asked = len(served.server.asked)
    record.wait_until(
        lambda: len(served.server.asked) > asked + 2 * len(served.hosts), what="all have asked again"
    )
    assert revision(sealed) == second
    # The server is gone, and the policy engine starts again.
    served.server.stop()
    shell(sealed, "systemctl restart opa.service")
    decides_by(sealed, second)
    assert said(sealed, "stat -c '%U %a' /var/lib/opa") == "opa 700"
    served.file.write_bytes(good)
    served.server.start()
    decides_by(sealed, served.build(deadline_seconds=3602))


def test_without_a_server_the_policies_are_a_file_again(sealed: Host, served: Served) -> None:
    assert gateway() in said(sealed, ALLOWED)
    install(replace(served.site, variables={}), served.hosts, only=["opa"])
    left = "ls /etc/systemd/system/opa.service.d/50-bundles.conf /etc/hostseal/bundles/token 2>/dev/null || echo gone"
    assert said(sealed, left) == "gone"
    assert said(sealed, f"ls {FILE}") == FILE
    assert gateway() not in said(sealed, ALLOWED)
