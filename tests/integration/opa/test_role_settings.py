"""The settings that the role writes, taken by a real OPA: what the agent watches is there, and nobody else is told of it."""

from pathlib import Path

import jinja2

from e2e.record import wait_until
from hostseal.policy.status import OpaLook
from integration.opa.peer import HostOpa, Peer

TEMPLATE = (
    Path(__file__).parents[3]
    / "collections/ansible_collections/hostseal/core/roles/opa/templates/opa.yaml.j2"
)
EVENT = {"input": {"event": {}, "standing": {"state": "sealed", "incident": None}}}


def test_a_hosts_opa_tells_its_status_to_the_agent_and_posts_decisions_only(
    tmp_path: Path, peer: Peer, policy: tuple[Path, Path]
) -> None:
    opa = HostOpa(tmp_path / "opa", peer, *policy)
    said = {
        "ansible_managed": "Ansible managed",
        "hostseal_keys_dir": ".",
        "hostseal_opa_key": {"id": "hostseal", "algorithm": "ES256"},
        "lookup": lambda *_: policy[1].read_text().rstrip("\n"),
        "hostseal_bundle_url": "",
        "hostseal_ledger_url": peer.url,
        "hostseal_ledger_delay_seconds": 1,
    }
    text = (
        jinja2.Environment(trim_blocks=True, autoescape=False).from_string(TEMPLATE.read_text()).render(said)
    )
    places = {
        "/etc/hostseal/opa/bundle.tar.gz": str(policy[0]),
        "/etc/hostseal/ledger/ca.pem": str(opa.folder / "server.pem"),
        "/run/credentials/opa.service/ledger-token": str(opa.folder / "token"),
    }
    for on_host, here in places.items():
        assert text.count(on_host) == 1, f"the role's settings no longer say {on_host}"
        text = text.replace(on_host, here)
    (opa.folder / "opa.yaml").write_text(text)
    with opa:
        opa.wait_for(200)
        decision = opa.agent("/v1/data/hostseal/event/decision", EVENT)[1]["decision_id"]
        wait_until(lambda: [one for one in peer.taken if one["decision_id"] == decision], what="it is sent")
        status = OpaLook(opa.settings)().status
        assert status is not None
        assert (status.bundle_error, status.upload_error, status.dropped) == (None, None, 0)
        assert status.revision is not None
        assert peer.posted == {"logs"}
