"""Real ansible-playbook runs on this machine, in front of a real OPA as a host runs it: TLS, token, signed bundle."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hostseal.policy import bundle, signing
from hostseal.policy.packaged import policies
from hostseal.trial import opa_child
from policy.opa_server import TOKEN, OpaServer

ROOT = Path(__file__).parents[3]
SITE = {
    "default": {"mode": "observe"},
    "groups": {"fronts": {"mode": "flag"}, "builders": {"mode": "flag"}},
    "hosts": {
        "web-1": {"groups": ["fronts"]},
        "web-2": {"groups": ["fronts"]},
        "pet-1": {"mode": "enforce", "class": "mutable"},
        "build-1": {"groups": ["builders"]},
    },
    "gate": {"build_groups": ["builders"], "allowed_collections": ["hostseal.core", "acme.sealed"]},
}
HOSTS = ("web-1-g1", "web-2-g4", "pet-1", "lab-1", "build-1")


class Bench:
    """A folder with a playbook, an inventory of names that all are this machine, and an OPA to ask."""

    def __init__(self, folder: Path, url: str, ca: Path, token: Path) -> None:
        self.folder, self.url, self.ca, self.token = folder, url, ca, token
        self.changed = folder / "changed"
        self.collections = str(ROOT / "collections")
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        inventory = {"all": {"vars": local, "hosts": {name: {} for name in HOSTS}}}
        (folder / "inventory.json").write_text(json.dumps(inventory))

    def gate(self, **options: Any) -> dict[str, Any]:
        """Return the gate's task."""
        given = {"url": self.url, "ca_file": str(self.ca), "token_file": str(self.token), **options}
        return {"name": "Ask the policy", "hostseal.core.gate": given, "register": "gate", "tags": ["always"]}

    def patch(self, **keywords: Any) -> dict[str, Any]:
        """Return a task that changes something that can be seen."""
        copy = {"content": "changed\n", "dest": str(self.changed), "mode": "0644"}
        return {"name": "Change a file", "ansible.builtin.copy": copy, **keywords}

    def write(self, tasks: list[dict[str, Any]], hosts: str = "web-1-g1", **play: Any) -> Path:
        """Write a playbook of one play."""
        path = self.folder / "play.yml"
        path.write_text(
            json.dumps(
                [{"name": "A play", "hosts": hosts, "gather_facts": False, "tasks": tasks, **play}], indent=1
            )
        )
        return path

    def run(
        self, tasks: list[dict[str, Any]], hosts: str = "web-1-g1", *options: str, **play: Any
    ) -> "subprocess.CompletedProcess[str]":
        """Run a play of the gate and these tasks."""
        return self.playbook(self.write([self.gate(), *tasks], hosts, **play), *options)

    def playbook(self, path: Path, *options: str) -> "subprocess.CompletedProcess[str]":
        """Run ansible-playbook."""
        program = Path(sys.executable).with_name("ansible-playbook")
        return self._run([program, "-i", self.folder / "inventory.json", *options, path])

    def check(self, path: Path, *options: str) -> "subprocess.CompletedProcess[str]":
        """Run `hostseal play check` with the same OPA."""
        program = Path(sys.executable).with_name("hostseal")
        asked = ["--opa-url", self.url, "--ca", self.ca, "--token-file", self.token]
        return self._run(
            [program, "play", "check", path, "-i", self.folder / "inventory.json", *asked, *options]
        )

    def _run(self, command: list[Any]) -> "subprocess.CompletedProcess[str]":
        environment: Mapping[str, str] = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": self.collections,
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_NOCOWS": "1",
            "ANSIBLE_LOCALHOST_WARNING": "False",
        }
        return subprocess.run(
            [str(part) for part in command],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture(scope="session")
def gate_opa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpaServer]:
    """An OPA that has loaded the bundle of a site with sealed, mutable, observed and building hosts."""
    folder, opa = tmp_path_factory.mktemp("gate-opa"), opa_child.find()
    signing.generate_key_pair(folder / "bundle.key", folder / "bundle.pub")
    bundle.build(opa, policies(), SITE, folder / "bundle.tar.gz", folder / "bundle.key")
    with OpaServer(opa.absolute(), folder, folder / "bundle.tar.gz", folder / "bundle.pub") as running:
        running.wait_for(200)
        yield running


@pytest.fixture
def bench(gate_opa: OpaServer, tmp_path: Path) -> Bench:
    """A place to run plays in front of that OPA."""
    token = tmp_path / "token"
    token.write_text(TOKEN)
    return Bench(tmp_path, f"https://127.0.0.1:{gate_opa.port}", gate_opa.folder / "server.pem", token)
