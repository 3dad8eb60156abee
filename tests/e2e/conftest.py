"""The lab hosts that the end-to-end tests share, with the agent installed by the collection's roles."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2e import record
from lab import Host, HostOptions, Lab, leftovers
from lab_site import Site, install

PREFIX = "e2e"


class Fleet:
    """The hosts, and the site they belong to."""

    def __init__(self, site: Site, flagging: Host, observing: Host) -> None:
        self.site, self.flagging, self.observing = site, flagging, observing

    @property
    def hosts(self) -> list[Host]:
        """All hosts, in the order they are installed."""
        return [self.flagging, self.observing]


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """One host in mode `flag` with a console, one in mode `observe`; nothing may be left behind."""
    folder = tmp_path_factory.mktemp("site")
    with Lab(PREFIX) as lab:
        lab.down()
        flagging = lab.up(["flag"], options=HostOptions(console=True))[0]
        observing = lab.up(["observe"])[0]
        site = Site(folder, default_mode="flag", hosts={observing.name: {"mode": "observe"}})
        install(site, [flagging, observing])
        for host in (flagging, observing):
            record.wait_for(host, 0, "agent.started")
        yield Fleet(site, flagging, observing)
    assert leftovers(PREFIX) == []


@pytest.fixture
def pardon(fleet: Fleet) -> Callable[[Host, str], None]:
    """Pardon a flagged host with the key that is not on it."""

    def do(host: Host, reason: str) -> None:
        incident = record.status(host)["standing"]["incident"]["id"]
        command = [Path(sys.executable).with_name("hostseal"), "flag", "pardon", "--reason", reason]
        command += ["--host", host.name, "--incident", incident, "--key", fleet.site.keys / "pardon.key"]
        command += ["--person", "carol"]
        signed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
        assert json.loads(signed)["claim"]["incident"] == incident
        before = record.last_seq(host)
        done = host.ssh("deploy", f"sudo {record.HOSTSEAL} flag apply-pardon -", input=signed)
        assert done.returncode == 0, done.stderr
        record.wait_for(host, before, "flag.pardoned")

    return do


@pytest.fixture
def sealed(fleet: Fleet, pardon: Callable[[Host, str], None]) -> Host:
    """The host in mode `flag`, unflagged, with nothing on its way that could flag it."""
    host = fleet.flagging

    def look() -> bool:
        if record.standing(host) == "flagged":
            pardon(host, "the next test begins")
        return settled(host)

    record.wait_until(look, what=f"{host.name} is sealed and its playbooks have run")
    return host


def settled(host: Host) -> bool:
    """Tell whether the host is sealed, with nothing left to report, decide or publish."""
    found = record.status(host)
    agent = found["agent"]
    return (
        agent is not None
        and found["standing"]["state"] == "sealed"
        and (agent["files"]["queue"], agent["spool"]["pending"]) == (0, 0)
        and all(run["state"] in {"done", "dead"} for run in found["actions"])
    )
