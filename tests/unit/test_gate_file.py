"""The gate's file: what the agent writes, the agent reads back, and the hook understands."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hostseal.config.settings import GateSettings, OnFailure
from hostseal.core import arming
from hostseal.core.arming import Arming, GateState
from hostseal.errors import SpoolError
from hostseal.gate_file import GateFile, read

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_the_arming_survives_a_restart(tmp_path: Path) -> None:
    file = GateFile(tmp_path / "gate", GateSettings())
    told: list[tuple[Arming, Arming]] = []

    def tell(before: Arming, after: Arming) -> None:
        assert read(tmp_path / "gate") == before == file.now, "it is told before it counts"
        told.append((before, after))

    file.change(lambda now: arming.proven(now, "boot:7", NOW, 600), tell)
    file.change(lambda now: arming.proven(now, "boot:7", NOW, 600), tell)
    [(before, after)] = told
    assert (before, after.state) == (Arming(), GateState.TRIAL)
    assert GateFile(tmp_path / "gate", GateSettings()).now == after == read(tmp_path / "gate")


def test_what_cannot_be_told_does_not_count(tmp_path: Path) -> None:
    file = GateFile(tmp_path / "gate", GateSettings())

    def tell(_before: Arming, _after: Arming) -> None:
        raise SpoolError("no room")

    with pytest.raises(SpoolError, match="no room"):
        file.change(lambda now: arming.proven(now, "boot:7", NOW, 600), tell)
    assert file.now == Arming()


def test_the_hook_finds_settings_and_accounts(tmp_path: Path) -> None:
    file = GateFile(tmp_path / "gate", GateSettings())
    file.keep(GateSettings(on_failure_person=OnFailure.DENY, limit_seconds=1.5), ("deploy", "ci"))
    fields = dict(field.split("=", 1) for field in (tmp_path / "gate").read_text().split("\0") if field)
    assert fields["state"] == "off"
    assert (fields["automation"], fields["limit_seconds"]) == ("deploy,ci", "1.5")
    assert (fields["on_failure_person"], fields["on_failure_automation"]) == ("deny", "allow_and_flag")
    assert (tmp_path / "gate").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("left", [b"state=open\0", b"", b"ends=0\0", b"\xff"])
def test_a_damaged_file_is_an_error_and_never_a_clean_slate(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "gate").write_bytes(left)
    with pytest.raises(SpoolError, match="cannot be read"):
        GateFile(tmp_path / "gate", GateSettings())
