"""The file of what the ledger told: every new head once, bounded, and readable whatever a kill left in it."""

from pathlib import Path

from hostseal.core.chain import Head
from hostseal.ledger import witness
from hostseal.uplink import witness_file
from hostseal.uplink.witness_file import Line, WitnessFile


def line(count: int, ledger: str = "l") -> Line:
    return Line(time="t", ledger=ledger, head=Head(count=count, hash=f"{count:064x}"), checkpoint=None)


def counts(path: Path) -> list[int]:
    return [told.line.head.count for told in witness.read([path])]


def test_each_new_head_is_a_line_and_a_repeated_one_is_none(tmp_path: Path) -> None:
    path = tmp_path / "witness.jsonl"
    file = WitnessFile(path)
    for count in (1, 1, 2, 2):
        file.told(line(count))
    file.told(line(2, "another"))
    assert counts(path) == [1, 2, 2]
    assert WitnessFile(path).last == line(2, "another")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_line_that_a_kill_cut_short_spoils_nothing(tmp_path: Path) -> None:
    path = tmp_path / "witness.jsonl"
    WitnessFile(path).told(line(1))
    path.write_bytes(path.read_bytes() + b'{"time":')
    assert counts(path) == [1]
    again = WitnessFile(path)
    assert again.last == line(1)
    again.told(line(2))
    assert WitnessFile(path).last == line(2)
    assert counts(path) == [1, 2]


def test_it_is_thinned_from_its_old_end(tmp_path: Path) -> None:
    path = tmp_path / "witness.jsonl"
    file = WitnessFile(path)
    number = 0
    while not number or path.stat().st_size > 200 * number or path.stat().st_size < witness_file.MAX_BYTES:
        number += 1
        file.told(line(number))
        if number > 20_000:
            break
    kept = counts(path)
    assert path.stat().st_size < witness_file.MAX_BYTES + 1000
    assert kept[0] == 1
    assert kept[-witness_file.KEPT :] == list(range(number - witness_file.KEPT + 1, number + 1))
