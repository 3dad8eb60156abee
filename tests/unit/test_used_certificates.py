"""Certificates are good for one session on this host, over restarts, until they expire."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest

from hostseal import used_certificates
from hostseal.core.event import timestamp
from hostseal.errors import SpoolError
from hostseal.used_certificates import UsedCertificates

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SOON = timestamp(NOW + timedelta(minutes=30))


class At:
    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return 0.0


def test_a_certificate_is_used_once_also_after_a_restart(tmp_path: Path) -> None:
    store = UsedCertificates(tmp_path / "used", At())
    assert not store.used("SHA256:a", 1)
    assert store.use("SHA256:a", 1, SOON)
    assert not store.use("SHA256:a", 1, SOON)
    again = UsedCertificates(tmp_path / "used", At())
    assert again.used("SHA256:a", 1)
    assert not again.used("SHA256:b", 1)
    assert not again.used("SHA256:a", 2)


def test_of_many_at_once_one_is_the_first(tmp_path: Path) -> None:
    store, firsts, start = UsedCertificates(tmp_path / "used", At()), [], Barrier(8)

    def use() -> None:
        start.wait(10)
        firsts.append(store.use("SHA256:a", 1, SOON))

    threads = [Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(firsts) == [False] * 7 + [True]


def test_an_expired_one_makes_room_and_a_full_store_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(used_certificates, "KEPT", 2)
    clock = At()
    store = UsedCertificates(tmp_path / "used", clock)
    assert store.use("SHA256:a", 1, SOON)
    assert store.use("SHA256:a", 2, None)
    with pytest.raises(SpoolError, match="are in use"):
        store.use("SHA256:a", 3, SOON)
    clock.time = NOW + timedelta(hours=1)
    assert store.use("SHA256:a", 3, timestamp(NOW + timedelta(hours=2)))
    assert store.used("SHA256:a", 2)


def test_a_damaged_file_is_an_error_and_never_a_clean_slate(tmp_path: Path) -> None:
    (tmp_path / "used").write_bytes(b"[]")
    with pytest.raises(SpoolError, match="cannot be read"):
        UsedCertificates(tmp_path / "used", At())
