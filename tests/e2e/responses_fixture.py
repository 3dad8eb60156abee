"""A lab host in mode `enforce` that answers a person's shell with the end of its session, and a break-glass authority."""

from collections.abc import Iterator

import pytest

from e2e.enforced import Enforced
from e2e.guarded import set_up
from lab import Host, Lab, leftovers

PREFIX = "resp"


@pytest.fixture(scope="session")
def enforced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enforced]:
    """One host in mode `enforce`; nothing may be left behind."""
    responses = {"rules": {"interactive_session": ["terminate_session"]}}
    with Lab(PREFIX) as lab:
        lab.down()
        yield Enforced(set_up(lab, tmp_path_factory.mktemp("responses"), responses=responses))
    assert leftovers(PREFIX) == []


@pytest.fixture
def open_host(enforced: Enforced) -> Iterator[Host]:
    """The host, open before and after."""
    enforced.open_again()
    yield enforced.host
    enforced.open_again()
