"""What the gate does with damaged files of its own: the agent goes on, and the loss is on record."""

from pathlib import Path
from typing import Any

import pytest

from hostseal import gate_keeper
from hostseal.clock import SystemClock
from hostseal.config.settings import GateSettings, SpoolSettings
from hostseal.core.event import Event, EventType, Host
from hostseal.gate_keeper import GateKeeper
from hostseal.policy.answer import Answer
from hostseal.recorder import Recorder
from hostseal.spool.sqlite import SqliteSpool
from hostseal.state import open_state
from hostseal.used_certificates import UsedCertificates

HOST = Host(name="web-1", machine_id="m" * 32, boot_id="b" * 32, mode="enforce")


def nobody(entry_point: str, _input: dict[str, Any]) -> Answer:
    raise AssertionError(f"{entry_point} was asked")


def start(state: Path) -> tuple[GateKeeper, SqliteSpool]:
    spool, flag, _ = open_state(state, SpoolSettings())
    clock = SystemClock()
    recorder = Recorder(spool, HOST, clock, lambda _step, **_fields: None, pending_limit=100)
    return gate_keeper.assemble(GateSettings(), state, nobody, recorder, spool, flag, clock), spool


def losses(spool: SqliteSpool) -> list[str]:
    found = []
    while (task := spool.head()) is not None:
        if task.event.type is EventType.SENSOR_LOST:
            found.append(task.event.data["scope"])
        spool.done(task.event.id, task.event.time)
    return found


@pytest.mark.parametrize("name", ["gate", "used-certificates.db"])
def test_a_damaged_file_is_set_aside_and_is_a_loss_on_record(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"junk" * 5000)
    keeper, spool = start(tmp_path)
    assert keeper.status()["gate"]["state"] == "off"
    (scope,) = losses(spool)
    assert Path(scope).read_bytes() == b"junk" * 5000
    assert Path(scope).name.startswith(f"{name}.damaged-")


def test_a_certificate_is_used_up_also_where_the_policy_is_too_busy_to_foresee(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_keeper, "FORESEEN_AT_ONCE", 1)
    keeper, _ = start(tmp_path)
    keeper._foreseeing.acquire()
    certificate = {"ca_fingerprint": "SHA256:a", "serial": 7, "valid_before": None}
    opened = Event(
        id="e", type=EventType.SESSION_OPENED, time="2026-11-24T12:00:00.000000Z", seq=1, host=HOST,
        data={"user": "alice", "key": {"certificate": certificate}},
    )  # fmt: skip
    assert keeper.answer(opened).admitted
    assert UsedCertificates(tmp_path / "used-certificates.db").used("SHA256:a", 7)


def test_whole_files_are_no_loss(tmp_path: Path) -> None:
    start(tmp_path)
    _, spool = start(tmp_path)
    assert losses(spool) == []
