"""A lab host in mode `enforce` that answers a person's shell with the end of its session, and a break-glass authority."""

from collections.abc import Iterator

import pytest

from e2e import record
from e2e.enforced import Enforced
from lab import HostOptions, Lab, leftovers
from lab_site import Site, install

PREFIX = "resp"


@pytest.fixture(scope="module")
def enforced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enforced]:
    """One host in mode `enforce`; nothing may be left behind."""
    folder = tmp_path_factory.mktemp("responses")
    with Lab(PREFIX) as lab:
        lab.down()
        [host] = lab.up(["one"], options=HostOptions())
        responses = {"rules": {"interactive_session": ["terminate_session"]}}
        site = Site(folder / "site", default_mode="enforce", data={"responses": responses})
        install(site, [host])
        record.wait_for(host, 0, "agent.started")
        made = Enforced(site, host, folder)
        made.trust()
        yield made
    assert leftovers(PREFIX) == []
