"""A host in mode `enforce`, whose login gate the tests arm and break."""

from collections.abc import Iterator

import pytest

from e2e.guarded import Guarded, set_up
from lab import Lab, leftovers

PREFIX = "gate"


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """One host with a console; nothing may be left behind."""
    with Lab(PREFIX) as lab:
        lab.down()
        yield set_up(lab, tmp_path_factory.mktemp("gate"))
    assert leftovers(PREFIX) == []
