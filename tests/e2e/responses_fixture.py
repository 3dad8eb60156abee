"""A lab host in mode `enforce` that answers a person's shell with the end of its session, and a break-glass authority."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from e2e import record
from e2e.enforced import Enforced
from lab import Host, HostOptions, Lab, leftovers
from lab_site import Site, install

PREFIX = "resp"


@pytest.fixture(scope="session")
def enforced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enforced]:
    """One host in mode `enforce`; nothing may be left behind."""
    folder = tmp_path_factory.mktemp("responses")
    authority = folder / "authority"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", authority], check=True, timeout=30)
    listed = subprocess.run(
        ["ssh-keygen", "-lf", authority], check=True, capture_output=True, text=True, timeout=30
    )
    data = {
        "break_glass": {"authorities": [listed.stdout.split()[1]]},
        "responses": {"rules": {"interactive_session": ["terminate_session"]}},
    }
    (folder / "site.json").write_text(json.dumps(data))
    with Lab(PREFIX) as lab:
        lab.down()
        [host] = lab.up(["one"], options=HostOptions())
        site = Site(
            folder / "site",
            default_mode="enforce",
            data=data,
            variables={"hostseal_break_glass_authorities": [f"{authority}.pub"]},
        )
        install(site, [host])
        record.wait_for(host, 0, "agent.started")
        yield Enforced(site, host, folder)
    assert leftovers(PREFIX) == []


@pytest.fixture
def open_host(enforced: Enforced) -> Iterator[Host]:
    """The host, open before and after."""
    enforced.open_again()
    yield enforced.host
    enforced.open_again()
