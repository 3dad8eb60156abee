"""Losses that wait for a scan: none is dropped, those alike are one until a scan for them begins."""

from msgspec.structs import replace

from hostseal.scans.owed import LIMIT, Ledger, Owed

LOSS = Owed(
    sensor="files.fanotify", cause="queue_overflow", scope="/etc", since="1", until="1", detail={"a": 1}
)


def test_losses_alike_are_one_with_their_count() -> None:
    ledger = Ledger()
    assert ledger.add(LOSS) == ledger.add(replace(LOSS, since="2", until="2"))
    (owed,) = ledger.settle([1])
    assert (owed.since, owed.until, owed.count) == ("1", "2", 2)
    assert owed.rescanned(3) == {
        "sensor": "files.fanotify",
        "cause": "queue_overflow",
        "since": "1",
        "until": "2",
        "scope": "/etc",
        "rescanned": True,
        "detail": {"a": 1, "count": 2, "differences": 3},
    }


def test_a_loss_during_its_scan_is_owed_anew() -> None:
    ledger = Ledger()
    first = ledger.add(LOSS)
    ledger.begin([first])
    second = ledger.add(LOSS)
    assert first != second
    assert len(ledger.settle([first])) == 1
    assert len(ledger) == 1


def test_their_number_is_bounded_and_their_count_kept() -> None:
    ledger = Ledger()
    numbers = {ledger.add(replace(LOSS, scope=f"/etc/{n}")) for n in range(3 * LIMIT)}
    assert len(ledger) <= LIMIT + 1
    assert sum(owed.count for owed in ledger.settle(numbers)) == 3 * LIMIT
