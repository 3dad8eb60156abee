"""A break-glass certificate lets somebody in once, whatever becomes of the process that wrote it down."""

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hostseal import used_certificates
from hostseal.errors import SpoolError
from hostseal.used_certificates import UsedCertificates

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
UNTIL = NOW + timedelta(minutes=30)
CA, OTHER = f"SHA256:{'A' * 43}", f"SHA256:{'B' * 43}"
LARGEST = 2**64 - 1


def test_the_first_use_counts_and_the_second_does_not(tmp_path: Path) -> None:
    path = tmp_path / "used.db"
    assert not UsedCertificates(path).used(CA, LARGEST)
    assert UsedCertificates(path).use(CA, LARGEST, UNTIL, NOW)
    assert UsedCertificates(path).used(CA, LARGEST)
    assert not UsedCertificates(path).use(CA, LARGEST, UNTIL, NOW)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_same_serial_of_another_authority_is_another_certificate(tmp_path: Path) -> None:
    store = UsedCertificates(tmp_path / "used.db")
    assert store.use(CA, 1, UNTIL, NOW)
    assert store.use(OTHER, 1, UNTIL, NOW)
    assert store.use(CA, 2, UNTIL, NOW)


def test_of_many_at_once_one_is_first(tmp_path: Path) -> None:
    store = UsedCertificates(tmp_path / "used.db")
    with ThreadPoolExecutor(8) as pool:
        firsts = list(pool.map(lambda _: store.use(CA, 7, UNTIL, NOW), range(32)))
    assert firsts.count(True) == 1


def test_a_certificate_is_forgotten_a_day_after_its_end_and_not_before(tmp_path: Path) -> None:
    store = UsedCertificates(tmp_path / "used.db")
    store.use(CA, 1, UNTIL, NOW)
    store.use(CA, 2, UNTIL, UNTIL + timedelta(hours=23))
    assert store.used(CA, 1)
    store.use(CA, 3, UNTIL, UNTIL + timedelta(hours=24))
    assert not store.used(CA, 1)


def test_without_room_nobody_is_forgotten_and_nobody_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(used_certificates, "LIMIT", 1)
    store = UsedCertificates(tmp_path / "used.db")
    assert store.use(CA, 1, UNTIL, NOW)
    with pytest.raises(SpoolError, match=r"1 certificates by SHA256:A+ were used"):
        store.use(CA, 2, UNTIL, NOW)
    assert store.used(CA, 1)


def test_one_authority_takes_no_room_from_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(used_certificates, "LIMIT", 1)
    store = UsedCertificates(tmp_path / "used.db")
    assert store.use(CA, 1, UNTIL, NOW)
    assert store.use(OTHER, 1, UNTIL, NOW)


def test_a_damaged_file_is_an_error_and_not_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "used.db"
    store = UsedCertificates(path)
    path.write_bytes(b"x" * 8192)
    for ask in (
        lambda: store.used(CA, 1),
        lambda: store.use(CA, 1, UNTIL, NOW),
        lambda: UsedCertificates(path),
    ):
        with pytest.raises(SpoolError, match="cannot be kept"):
            ask()
