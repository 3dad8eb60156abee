"""A host in mode `enforce`, whose login gate the tests arm and break."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from e2e import record
from e2e.guarded import HOW, Guarded
from lab import HostOptions, Lab, leftovers
from lab_site import Site, install

PREFIX = "gate"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """One host with a console; nothing may be left behind."""
    folder = tmp_path_factory.mktemp("gate")
    authority = folder / "authority"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", authority], check=True, timeout=30)
    listed = subprocess.run(
        ["ssh-keygen", "-lf", authority], check=True, capture_output=True, text=True, timeout=30
    )
    data = {
        "break_glass": {"authorities": [listed.stdout.split()[1]]},
        "login": {"how_to_ask": HOW, "deadline_seconds": 900},
    }
    (folder / "site.json").write_text(json.dumps(data))
    with Lab(PREFIX) as lab:
        lab.down()
        host = lab.up(["one"], options=HostOptions(console=True))[0]
        site = Site(
            folder,
            default_mode="enforce",
            data=data,
            variables={"hostseal_break_glass_authorities": [f"{authority}.pub"]},
        )
        install(site, [host])
        record.wait_for(host, 0, "agent.started")
        yield Guarded(host, site, folder)
    assert leftovers(PREFIX) == []
