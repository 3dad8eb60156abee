"""Runs of ansible-playbook against lab hosts: playbooks/site.yml and ledger.yml."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lab import Host, LabError

REPO = Path(__file__).resolve().parents[2]
AUTOMATION = "deploy"


@dataclass(frozen=True)
class Site:
    """Where the operator's keys are, and what the policy is to know of the hosts."""

    folder: Path
    default_mode: str = "flag"
    hosts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    agent_settings: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    ledger_url: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)

    @property
    def keys(self) -> Path:
        """The folder of the keys that never go to a host."""
        return self.folder / "keys"


def install(
    site: Site,
    hosts: Sequence[Host],
    *,
    output: Path | None = None,
    check: bool = False,
    only: Sequence[str] = (),
) -> str:
    """Apply the site's playbook to the hosts, or `only` the roles of these tags; return Ansible's output.

    LabError, with its end, when it fails.
    """
    variables = {**_variables(site), "hostseal_wheelhouse": wheelhouse()}
    log = output or site.folder / "install.log"
    inventory = {"all": {"vars": variables, "hosts": _reached(hosts)}}
    return _play("site.yml", site, inventory, log, check=check, only=only)


def install_ledger(
    site: Site,
    ledger: Host,
    names: Sequence[str],
    *,
    output: Path | None = None,
    check: bool = False,
    **settings: Any,
) -> Site:
    """Install the ledger on its host, with tokens for the named hosts; return the site with the ledger in it.

    `settings` are variables of the role. LabError when it fails.
    """
    variables = {**_variables(site), "hostseal_ledger_wheelhouse": wheelhouse("ledger"), **settings}
    inventory = {
        "all": {"vars": variables, "hosts": {name: {} for name in names}},
        "ledger": {"hosts": _reached([ledger])},
    }
    log = output or site.folder / "install-ledger.log"
    _play("ledger.yml", site, inventory, log, check=check)
    return replace(site, ledger_url=f"https://{ledger.address}:8443")


def _play(
    playbook: str,
    site: Site,
    inventory: Mapping[str, Any],
    log: Path,
    *,
    check: bool,
    only: Sequence[str] = (),
) -> str:
    site.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    described = site.folder / "inventory.json"
    described.write_text(json.dumps(inventory, indent=2), "utf-8")
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(described)]
    command += [
        *(["--check"] if check else []),
        *(["--tags", ",".join(only)] if only else []),
        str(REPO / "playbooks" / playbook),
    ]
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(REPO / "collections"),
        "ANSIBLE_HOME": str(site.folder / "ansible"),
        "ANSIBLE_SSH_PIPELINING": "True",
        "ANSIBLE_NOCOLOR": "1",
    }
    with log.open("wb") as sink:
        done = subprocess.run(
            command,
            stdout=sink,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=environment,
            timeout=600,
            check=False,
        )
    text = log.read_text("utf-8", "replace")
    if done.returncode:
        raise LabError(f"the roles could not be applied (all of it: {log})\n{text[-3000:]}")
    return text


def _variables(site: Site) -> dict[str, Any]:
    return {
        "ansible_user": AUTOMATION,
        "ansible_python_interpreter": "/usr/bin/python3",
        "hostseal_opa_binary": str(REPO / ".tools/bin/opa"),
        "hostseal_keys_dir": str(site.keys),
        "hostseal_cli": str(Path(sys.executable).with_name("hostseal")),
        "hostseal_agent_settings": dict(site.agent_settings),
        "hostseal_ledger_url": site.ledger_url,
        "hostseal_site": {
            "automation": {"accounts": [AUTOMATION], "key_fingerprints": []},
            "default": {"mode": site.default_mode},
            "hosts": dict(site.hosts),
            **site.data,
        },
        **site.variables,
    }


def _reached(hosts: Sequence[Host]) -> dict[str, Any]:
    described = {host.name: host.describe() for host in hosts}
    return {
        name: {
            "ansible_host": what["address"],
            "ansible_ssh_private_key_file": what["keys"][AUTOMATION],
            "ansible_ssh_common_args": what["ssh_common_args"].replace("-o ControlPath=none ", ""),
        }
        for name, what in described.items()
    }


def wheelhouse(*extras: str) -> str:
    """Return the folder with the wheels of this checkout's agent, made now if it must be; LabError."""
    done = subprocess.run(
        [REPO / "scripts/wheelhouse", *extras], stdout=subprocess.PIPE, text=True, timeout=900, check=False
    )
    if done.returncode:
        raise LabError("the wheelhouse could not be made; its reason stands above")
    return done.stdout.strip().splitlines()[-1]
