"""How `make test-hosts` divides its modules over two processes."""

from pathlib import PurePath

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

ALONE = {
    "test_ended_sessions", "test_image", "test_ledger", "test_lab", "test_lockdown", "test_login_gate",
    "test_login_gate_out", "test_normal_week", "test_other_sshds", "test_seal_live",
}  # fmt: skip
"""Modules whose hosts are all their own: they run beside the others, which share hosts, ports or `make`'s own lab."""


class ByHosts(LoadScopeScheduling):
    """One process for the modules whose hosts are their own, one for those that share theirs."""

    def _split_scope(self, nodeid: str) -> str:
        return "alone" if PurePath(nodeid.partition("::")[0]).stem in ALONE else "shared"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByHosts | None:
    """Return our own way of dividing where modules are to stay together (`--dist loadscope`)."""
    return ByHosts(config, log) if config.getvalue("dist") == "loadscope" else None
