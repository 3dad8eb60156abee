"""What the gate does with damaged files of its own: the agent goes on, and the loss is on record."""

from pathlib import Path
from typing import Any

import pytest

from hostseal import gate_keeper
from hostseal.clock import SystemClock
from hostseal.config.settings import GateSettings, SpoolSettings
from hostseal.core.event import EventType, Host
from hostseal.gate_keeper import GateKeeper
from hostseal.policy.answer import Answer
from hostseal.recorder import Recorder
from hostseal.spool.sqlite import SqliteSpool
from hostseal.state import open_state

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


def test_whole_files_are_no_loss(tmp_path: Path) -> None:
    start(tmp_path)
    _, spool = start(tmp_path)
    assert losses(spool) == []
