"""The composed file sensor and what sessions lay: who laid it, what comes of it, and how sure that is."""

from pathlib import Path
from typing import Any

import pytest

from hostseal.core.attribution import ProcessFacts, Proof
from hostseal.core.persistence import Artefact, Lays
from hostseal.core.units import unit_of
from hostseal.sensors import laying
from hostseal.sensors.laying import Laying
from hostseal.spool.sqlite import SqliteSpool
from unit.sensors.test_file_watch import Spool, change, watching

ALICE = {"user": "alice", "audit_session": 12}
UNIT = b"/etc/systemd/system/x.service"
BY_ALICE = ProcessFacts(pid=7, proof=Proof.ALIVE, exe="/usr/bin/vim", uid=0, audit_session=12)
BY_UNIT = ProcessFacts(
    pid=8,
    proof=Proof.ALIVE,
    exe="/usr/bin/dash",
    uid=0,
    cgroup="/system.slice/x.service",
    unit=unit_of("/system.slice/x.service"),
    began=1e9,
)


def test_what_a_unit_writes_that_a_session_laid_is_tied_to_it_and_never_sure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = tmp_path / "x.service"
    ours.write_text("[Service]\n")
    path = bytes(ours)
    monkeypatch.setattr(laying, "artefact_of", lambda p, _: UNIT_FILE if p == path else None)
    keeper = Laying(SqliteSpool(tmp_path / "spool.db", reserve_bytes=0), "boot")

    def script(sink: Any) -> None:
        change(sink, b"/nowhere/before", BY_UNIT)
        change(sink, path, BY_ALICE)
        change(sink, b"/nowhere/after", BY_UNIT)

    spool = Spool()
    with watching(script, spool, lambda audit: ALICE if audit == 12 else None, laying=keeper):
        spool.wait(lambda: len(spool.events) == 3)
    before, laid, after = (data for _, data, _ in sorted(spool.events, key=lambda one: one[1]["first"]))
    assert (before["writer"]["via"], before["confidence"]) == (None, "exact")
    assert (laid["writer"]["session"], laid["writer"]["via"], laid["confidence"]) == (ALICE, None, "exact")
    assert after["writer"] == {
        "kind": "executable", "session": None, "exe": "/usr/bin/dash", "pid": 8, "uid": 0, "action": None,
        "unit": "x.service", "role": None,
        "via": {"kind": "unit", "path": str(ours), "session": ALICE},
    }  # fmt: skip
    assert after["confidence"] == "inferred"


UNIT_FILE = Artefact(kind=Lays.UNIT, unit="x.service")


def script(sink: Any) -> None:
    change(sink, b"/etc/cron.d/no-such-file", BY_ALICE)
    change(sink, b"/etc/no-such-file", BY_ALICE)


@pytest.mark.parametrize("kept", [True, False])
def test_what_is_laid_is_said_of_each_path_with_and_without_a_keeper(tmp_path: Path, kept: bool) -> None:
    keeper = Laying(SqliteSpool(tmp_path / "spool.db", reserve_bytes=0), "boot") if kept else None
    spool = Spool()
    with watching(script, spool, lambda _: ALICE, laying=keeper):
        spool.wait(lambda: bool(spool.events))
    (data,) = spool.of("files.changed")
    assert [path["lays"] for path in data["paths"]] == ["cron", None]
