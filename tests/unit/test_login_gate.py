"""The login gate's memory: a certificate that let somebody in is used up, whoever let him in."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hostseal.clock import SystemClock
from hostseal.config.settings import GateSettings
from hostseal.core.event import Event, EventType, Host
from hostseal.core.standing import Standing
from hostseal.errors import NoAnswerError
from hostseal.login_gate import LoginGate, authorities
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


def test_only_an_authority_that_sshd_goes_by_makes_break_glass(tmp_path: Path) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6Nkb1Wd7pY5x1L7d8Gm3v7G9mWfVtV8Jq4uQxkq1aB"
    listed = tmp_path / "hostseal_break_glass.pub"
    listed.write_text(f"{key} break-glass\n")
    (known,) = authorities(listed)
    assert known.startswith("SHA256:")
    told: list[dict[str, Any]] = []
    gate = LoginGate(
        silent,
        lambda _kind, data, **_more: told.append(dict(data)) or "",
        UsedCertificates(tmp_path / "used.db"),
        SystemClock(),
        instance="i",
        settings=GateSettings(),
        automation=lambda: ("deploy",),
        authorities=listed,
    )
    host = Host(name="web-1", machine_id="m", boot_id="b")
    for user, ca in (("alice", known), ("alice", CA), ("deploy", CA), ("bob", None)):
        offered = None if ca is None else {"ca_fingerprint": ca, "serial": 7, "valid_before": None}
        event = Event(
            id="e", type=EventType.LOGIN_REQUESTED, time="2026-11-24T12:00:00.000000Z", seq=1, host=host,
            data={"user": user, "offered": offered},
        )  # fmt: skip
        assert gate.answer(event, Standing()).admitted
    assert [one["class"] for one in told] == ["break_glass", "person", "automation", "person"]
    assert authorities(tmp_path / "none") == frozenset()


def silent(_entry_point: str, _input: dict[str, Any]) -> Answer:
    raise NoAnswerError("OPA is down")
