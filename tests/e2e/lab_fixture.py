"""Fixtures that boot real hosts; a test module asks for them with `pytest_plugins = ["e2e.lab_fixture"]`."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab import Host, HostOptions, Lab, all_labs, leftovers

HostFactory = Callable[..., Host]
OURS = re.compile(r"boot-p(\d+)")


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A lab of this test process; labs of test processes that died are removed first."""
    if os.geteuid() != 0:
        if os.environ.get("CI"):
            pytest.fail("CI must run the tests on real hosts, which need root")
        pytest.skip("real hosts need root: mounts, namespaces, systemd-nspawn")
    for stale in all_labs():
        process = OURS.fullmatch(stale.prefix)
        if process is not None and not Path(f"/proc/{process[1]}").exists():
            stale.down()
    prefix = f"boot-p{os.getpid()}"
    with Lab(prefix) as instance:
        yield instance
    assert leftovers(prefix) == []


@pytest.fixture(scope="session")
def host_factory(lab: Lab) -> HostFactory:
    """`host_factory("web", console=True, …)` returns a running host that lives until the session ends."""

    def boot(name: str, **options: object) -> Host:
        (host,) = lab.up([name], options=HostOptions(**options))  # type: ignore[arg-type]
        return host

    return boot


@pytest.fixture
def fresh_host(lab: Lab) -> Iterator[HostFactory]:
    """As `host_factory`, but the hosts are new and go when the test ends."""
    made: list[str] = []

    def boot(name: str, **options: object) -> Host:
        lab.down([f"{lab.prefix}-{name}"])
        made.append(f"{lab.prefix}-{name}")
        (host,) = lab.up([name], options=HostOptions(**options))  # type: ignore[arg-type]
        return host

    yield boot
    lab.down(made)
