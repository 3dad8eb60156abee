"""The login gate's memory: a certificate that let somebody in is used up, whoever let him in."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hostseal.clock import SystemClock
from hostseal.config.settings import GateSettings
from hostseal.login_gate import LoginGate
from hostseal.policy.answer import Answer
from hostseal.used_certificates import UsedCertificates

CA = f"SHA256:{'A' * 43}"


def nobody(entry_point: str, _input: dict[str, Any]) -> Answer:
    raise AssertionError(f"{entry_point} was asked")


def opened(certificate: dict[str, Any] | None) -> dict[str, Any]:
    return {"user": "alice", "key": None if certificate is None else {"certificate": certificate}}


def test_a_session_that_the_hook_let_in_alone_has_used_its_certificate_up(tmp_path: Path) -> None:
    used = UsedCertificates(tmp_path / "used.db")
    gate = LoginGate(
        nobody,
        lambda *_args, **_more: "",
        used,
        SystemClock(),
        instance="i",
        settings=GateSettings(),
        automation=lambda: (),
    )
    ends = datetime(2999, 1, 1, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert gate.use_up(opened(None))
    assert gate.use_up(opened({"ca_fingerprint": CA, "serial": 7, "valid_before": ends}))
    assert used.used(CA, 7)
    assert not gate.use_up(opened({"ca_fingerprint": CA, "serial": 7, "valid_before": ends}))
    assert gate.use_up(opened({"ca_fingerprint": CA, "serial": 8, "valid_before": None}))
