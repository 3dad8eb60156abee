"""How `make test-hosts` divides its modules over its processes."""

from pathlib import PurePath

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

GROUPS = {
    "test_ended_sessions": "responses", "test_lockdown": "responses",
    "test_login_gate": "gate", "test_login_gate_out": "gate",
    "test_lab": "lab", "test_normal_week": "lab",
    "test_image": "image", "test_seal_live": "image", "test_how_to_images": "image", "test_launcher": "image",
    "test_circle": "circle", "test_demo": "circle",
    "test_ledger": "ledger",
    "test_other_sshds": "other sshds",
}  # fmt: skip
"""The modules whose hosts, images and ports are their own group's; the rest share the hosts of the fixture `fleet`."""


class ByHosts(LoadScopeScheduling):
    """One process at a time for the modules that share their hosts."""

    def _split_scope(self, nodeid: str) -> str:
        return GROUPS.get(PurePath(nodeid.partition("::")[0]).stem, "shared")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByHosts | None:
    """Return our own way of dividing where modules are to stay together (`--dist loadscope`)."""
    return ByHosts(config, log) if config.getvalue("dist") == "loadscope" else None
