"""Whatever is changed in a stored ledger is found, and where."""

import base64
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostseal.core import chain, checkpoint
from hostseal.core.chain import FIELDS, Head
from hostseal.errors import LedgerError
from hostseal.ledger import links, store
from hostseal.ledger.verify import Report, verify
from hostseal.ledger.witness import Line, Told
from unit.ledger.conftest import Small, entry

TEXTS = [name for name in FIELDS if name != "body"]


@contextmanager
def changed(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection with which anything can be changed."""
    db = sqlite3.connect(path, isolation_level=None)
    db.text_factory = bytes
    try:
        yield db
    finally:
        db.close()


def found(small: Small, *told: Told) -> set[tuple[str, int]]:
    return {(finding.trouble, finding.position) for finding in look(small, *told).findings}


def look(small: Small, *told: Told) -> Report:
    return verify(small.path, small.keys, told)


def told(count: int, hash_: str, ledger: str, checkpoint: object = None) -> Told:
    return Told(
        place="w:1",
        line=Line(time="t", ledger=ledger, head=Head(count=count, hash=hash_), checkpoint=checkpoint),
    )


def test_an_untouched_ledger_is_whole(small: Small) -> None:
    report = look(small)
    assert (report.whole, report.head.count, report.checkpoints, report.signed) == (True, 6, 2, 6)
    assert report.head == store.head(small.database)


def test_an_empty_ledger_is_whole(tmp_path: Path) -> None:
    small = Small(tmp_path)
    assert look(small).whole
    assert look(small).head == store.head(small.database)


@pytest.mark.parametrize("position", [1, 3, 6])
@pytest.mark.parametrize("column", [*FIELDS, "hash"])
def test_any_byte_flipped_in_any_column_is_found_at_its_record(
    small: Small, column: str, position: int
) -> None:
    with changed(small.path) as db:
        select = f"SELECT CAST({column} AS BLOB) FROM records WHERE position = ?"
        original = bytes(db.execute(select, (position,)).fetchone()[0])
        kind = "TEXT" if column in TEXTS else "BLOB"
        update = f"UPDATE records SET {column} = CAST(? AS {kind}) WHERE position = ?"
        for index in range(len(original)):
            flipped = bytearray(original)
            flipped[index] ^= 1 + index % 255
            db.execute(update, (bytes(flipped), position))
            assert ("edited", position) in found(small), (column, index)
        db.execute(update, (original, position))
    assert look(small).whole


@pytest.mark.parametrize("column", ["seq", "version"])
@pytest.mark.parametrize("value", [-1, 0, 2, 1 << 62, (1 << 63) - 1])
def test_any_other_number_is_found(small: Small, column: str, value: int) -> None:
    with changed(small.path) as db:
        db.execute(f"UPDATE records SET {column} = ? WHERE position = 3", (value,))
    assert ("edited", 3) in found(small)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.integers(1, 6), st.sampled_from(FIELDS), st.integers(0, 200), st.integers(1, 255))
def test_any_flip_of_any_byte_is_found(small: Small, position: int, column: str, at: int, by: int) -> None:
    kind = "TEXT" if column in TEXTS else "BLOB"
    with changed(small.path) as db:
        select = f"SELECT CAST({column} AS BLOB) FROM records WHERE position = ?"
        original = bytes(db.execute(select, (position,)).fetchone()[0])
        flipped = bytearray(original)
        flipped[at % len(original)] ^= by
        update = f"UPDATE records SET {column} = CAST(? AS {kind}) WHERE position = ?"
        db.execute(update, (bytes(flipped), position))
        assert ("edited", position) in found(small)
        db.execute(update, (original, position))


@pytest.mark.parametrize("position", [1, 2, 5])
def test_a_deleted_record_is_found(small: Small, position: int) -> None:
    with changed(small.path) as db:
        db.execute("DELETE FROM records WHERE position = ?", (position,))
    assert found(small) == {("missing", position)}


def test_a_deleted_stretch_is_found_with_its_ends(small: Small) -> None:
    with changed(small.path) as db:
        db.execute("DELETE FROM records WHERE position BETWEEN 2 AND 3")
    assert [finding.says for finding in look(small).findings] == ["records 2 to 3 are missing"]


def test_a_deletion_that_is_closed_up_is_found(small: Small) -> None:
    with changed(small.path) as db:
        db.execute("DELETE FROM records WHERE position = 3")
        for position in (4, 5, 6):
            db.execute("UPDATE records SET position = ? WHERE position = ?", (position - 1, position))
    assert {("edited", 3), ("cut", 6)} <= found(small)


def copied(db: sqlite3.Connection, position: int, to: int) -> None:
    columns = ", ".join(["version", "hash", "seq", *FIELDS])
    db.execute(
        f"INSERT INTO records (position, {columns}) SELECT ?, {columns.replace('id,', chr(39) + 'new' + chr(39) + ',', 1)}"
        " FROM records WHERE position = ?",
        (to, position),
    )


@pytest.mark.parametrize("at", [-1, 0])
def test_a_record_before_the_first_is_found(small: Small, at: int) -> None:
    with changed(small.path) as db:
        copied(db, 1, at)
    assert ("inserted", at) in found(small)


def test_an_inserted_record_is_found(small: Small) -> None:
    with changed(small.path) as db:
        for position in (6, 5, 4):
            db.execute("UPDATE records SET position = ? WHERE position = ?", (position + 1, position))
        copied(db, 3, 4)
    assert ("edited", 4) in found(small)


def test_a_record_put_at_the_end_is_found(small: Small) -> None:
    with changed(small.path) as db:
        copied(db, 6, 7)
    assert found(small) == {("edited", 7)}


def test_two_records_that_changed_places_are_found(small: Small) -> None:
    with changed(small.path) as db:
        for old, new in ((2, 99), (3, 2), (99, 3)):
            db.execute("UPDATE records SET position = ? WHERE position = ?", (new, old))
    assert {("edited", 2), ("edited", 3)} <= found(small)


@pytest.mark.parametrize("left", [0, 3, 5])
def test_a_cut_tail_is_found_by_the_checkpoint(small: Small, left: int) -> None:
    with changed(small.path) as db:
        db.execute("DELETE FROM records WHERE position > ?", (left,))
    assert ("cut", left + 1) in found(small)


def rewritten(small: Small, since: int) -> None:
    """Change a record and make the chain fit again from there on, as whoever knows the hash input can."""
    with changed(small.path) as db:
        db.execute("UPDATE records SET user = 'bob' WHERE position = ?", (since,))
        previous = chain.genesis(small.database.ledger_id)
        rows = db.execute(
            f"SELECT position, seq, {', '.join(FIELDS)} FROM records ORDER BY position"
        ).fetchall()
        for position, seq, *fields in rows:
            previous = chain.link(previous, position, seq, fields)
            db.execute("UPDATE records SET hash = ? WHERE position = ?", (previous, position))


@pytest.mark.parametrize(
    ("since", "where"), [(2, {("rewritten", 4), ("rewritten", 6)}), (5, {("rewritten", 6)})]
)
def test_a_chain_that_was_made_to_fit_again_is_found_by_the_checkpoints(
    small: Small, since: int, where: set[tuple[str, int]]
) -> None:
    rewritten(small, since)
    assert found(small) == where


def test_a_chain_that_was_signed_again_is_found_by_a_witness_alone(small: Small) -> None:
    ledger = small.database.ledger_id
    before = store.head(small.database)
    rewritten(small, 2)
    with changed(small.path) as db:
        db.execute("DELETE FROM checkpoints")
    small.signer.__init__(small.database, small.key, small.clock)  # type: ignore[misc]
    small.signer.sign()
    assert look(small).whole
    assert found(small, told(before.count, before.hash, ledger)) == {("rewritten", 6)}
    assert found(small, told(9, "00" * 32, ledger)) == {("cut", 7)}
    assert found(small, told(6, before.hash, "another")) == {("witness", 0)}


def test_a_witness_that_was_told_the_truth_finds_nothing(small: Small) -> None:
    ledger, head = small.database.ledger_id, store.head(small.database)
    signed = msgspec.json.decode(small.signer.newest or b"")
    genesis = told(0, chain.genesis(ledger).hex(), ledger)
    assert found(small, told(head.count, head.hash, ledger, signed), genesis) == set()


@pytest.mark.parametrize("part", ["claim", "signature"])
def test_any_byte_flipped_in_a_checkpoint_is_found(small: Small, part: str) -> None:
    with changed(small.path) as db:
        body = bytes(db.execute("SELECT body FROM checkpoints WHERE count = 6").fetchone()[0])
        whole = msgspec.json.decode(body)
        text = base64.b64decode(whole["signature"]) if part == "signature" else body
        for index in range(len(text)):
            flipped = bytearray(text)
            flipped[index] ^= 1
            stored = bytes(flipped)
            if part == "signature":
                stored = msgspec.json.encode({**whole, "signature": base64.b64encode(flipped).decode()})
            db.execute("UPDATE checkpoints SET body = ? WHERE count = 6", (stored,))
            assert not look(small).whole, index


def test_a_ledger_whose_checkpoints_are_gone_is_not_taken_for_whole(small: Small) -> None:
    with changed(small.path) as db:
        db.execute("DELETE FROM checkpoints")
    assert found(small) == {("unsigned", 0)}


def test_another_ledgers_id_fits_nothing(small: Small) -> None:
    with changed(small.path) as db:
        db.execute("UPDATE meta SET value = 'another' WHERE key = 'ledger'")
    assert {("edited", 1), ("checkpoint", 0)} <= found(small)


def test_a_checkpoint_of_another_ledger_is_found(small: Small, tmp_path: Path) -> None:
    claim = checkpoint.sign("another", store.head(small.database), "t", small.key)
    with changed(small.path) as db:
        db.execute("UPDATE checkpoints SET body = ? WHERE count = 6", (msgspec.json.encode(claim),))
    assert found(small) == {("checkpoint", 0)}


def test_a_long_chain_is_checked_in_parts_and_finds_the_same(tmp_path: Path) -> None:
    small = Small(tmp_path)
    small.add(*(entry(number) for number in range(1, 4001)))
    small.signer.sign()

    def troubles(processes: int) -> set[tuple[str, int]]:
        report = verify(small.path, small.keys, [], processes=processes, share=1000)
        return {(finding.trouble, finding.position) for finding in report.findings}

    assert troubles(4) == troubles(1) == set()
    with changed(small.path) as db:
        db.execute("UPDATE records SET user = 'bob' WHERE position IN (1, 1000, 1001, 4000)")
        db.execute("DELETE FROM records WHERE position BETWEEN 1999 AND 2001")
    expected = {("edited", 1), ("edited", 1000), ("edited", 1001), ("edited", 4000)}
    assert troubles(1) == {*expected, ("missing", 1999)}
    assert troubles(4) == {*expected, ("missing", 1999), ("missing", 2001)}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
@given(st.data())
def test_any_byte_flipped_in_a_records_page_of_the_file_is_found(small: Small, data: st.DataObject) -> None:
    """Below SQL: the file's bytes, wherever the records' texts lie in it."""
    with changed(small.path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    original = small.path.read_bytes()
    start = original.index(b'{"number":3') - 150
    at = data.draw(st.integers(start, start + 250))
    flipped = bytearray(original)
    flipped[at] ^= data.draw(st.integers(1, 255))
    small.path.with_name("copy.db").write_bytes(flipped)
    assert not verify(small.path.with_name("copy.db"), small.keys, []).whole


def test_a_ledger_that_cannot_be_read_just_now_is_not_called_damaged(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.database.close()
    monkeypatch.setattr(links, "PATIENCE_SECONDS", 0.1)
    with changed(small.path) as db:
        db.execute("PRAGMA journal_mode=DELETE")
        db.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerError, match="cannot be read: database is locked"):
            verify(small.path, small.keys, [])


def test_what_is_no_ledger_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="there is no ledger"):
        verify(tmp_path / "none.db", {}, [])
    (tmp_path / "text.db").write_bytes(b"text" * 1000)
    assert [f.trouble for f in verify(tmp_path / "text.db", {}, []).findings] == ["damaged"]
