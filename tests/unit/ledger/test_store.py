"""The store: all of a batch or nothing, each record once, whoever else writes."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from hostseal.core import pardon
from hostseal.errors import LedgerError
from hostseal.ledger import checkpoints, database, facts, flags, search, store, tokens
from hostseal.ledger.database import Database
from hostseal.ledger.entry import Entry, Kind, Outcome
from hostseal.ledger.reports import Heartbeat
from hostseal.ledger.search import Query
from hostseal.ledger.watch import Watch, Watching
from unit.ledger.conftest import NOW, Small, entry


def count(small: Small) -> int:
    return store.head(small.database).count


def test_a_batch_that_breaks_off_leaves_nothing(small: Small) -> None:
    def breaking() -> Iterator[Entry]:
        for number in range(100, 1000):
            yield entry(number)
        raise ValueError("no more")

    before = store.head(small.database)
    with pytest.raises(ValueError, match="no more"):
        store.append(small.database, breaking(), NOW)
    assert store.head(small.database) == before


def test_what_is_known_is_known_in_any_form_and_in_the_same_batch(small: Small) -> None:
    again = msgspec.structs.replace(entry(1), body=b' {"text": "\xc3\xa9", "number": 1}')
    outcome, _ = store.append(small.database, [again, entry(50), entry(50)], NOW)
    assert outcome == Outcome(stored=1, known=2)


def test_another_content_of_a_known_name_is_kept_once(small: Small) -> None:
    other = msgspec.structs.replace(entry(1), body=b'{"number":1,"text":"other"}')
    for _ in range(2):
        outcome, _ = store.append(small.database, [other, other], NOW)
        assert outcome == Outcome(conflicts=2)
    kept = list(search.records(small.database, Query(kind=Kind.CONFLICT), None))
    assert [(record.ref, record.body["text"]) for record in kept] == [(entry(1).id, "other")]


def test_two_writers_at_a_time_make_one_chain(small: Small) -> None:
    other = Database(small.path)

    def write(opened: Database, begin: int) -> None:
        for number in range(begin, begin + 50):
            store.append(opened, [entry(number)], NOW)

    writers = [threading.Thread(target=write, args=one) for one in ((small.database, 1000), (other, 2000))]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    other.close()
    assert count(small) == 106
    from hostseal.ledger.verify import verify

    small.signer.sign()
    assert verify(small.path, small.keys, []).whole


def test_a_ledger_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    makers = [threading.Thread(target=database.make, args=(path,)) for _ in range(4)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    first = Database(path).ledger_id
    database.make(path)
    assert Database(path).ledger_id == first
    assert sorted(file.name for file in tmp_path.iterdir() if file.name.startswith(".")) == []


def test_another_version_and_no_ledger_are_said(tmp_path: Path, small: Small) -> None:
    with small.database.writing() as db:
        db.exec_driver_sql("UPDATE meta SET value = '9' WHERE key = 'version'")
    with pytest.raises(LedgerError, match="has version 9, this program knows 1"):
        Database(small.path)
    (tmp_path / "text.db").write_bytes(b"text" * 1000)
    with pytest.raises(LedgerError, match="cannot use the ledger"):
        Database(tmp_path / "text.db")


def test_checkpoints_come_by_number_or_by_time_and_not_without_records(small: Small) -> None:
    signer = checkpoints.Signer(small.database, small.key, small.clock)
    small.clock.seconds = 100
    assert not signer.due()
    small.add(entry(60))
    small.clock.seconds = 100 + checkpoints.EVERY_SECONDS - 1
    signer.sign()
    small.add(entry(61))
    assert not signer.due()
    small.clock.seconds += checkpoints.EVERY_SECONDS
    assert signer.due()
    small.add(*(entry(number) for number in range(10_000, 10_000 + checkpoints.EVERY_RECORDS)))
    assert signer.due()


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        (Query(user="alice"), [1, 2, 3, 4, 5, 6]),
        (Query(user="ali"), []),
        (Query(rule="a_rule", key="SHA256:x"), [1, 2, 3, 4, 5, 6]),
        (Query(rule="a_rul%"), []),
        (Query(rule="rule"), []),
        (Query(since=NOW), [1, 2, 3, 4, 5, 6]),
        (Query(until=NOW), []),
        (Query(ref="event-3"), [3]),
        (Query(after=4), [5, 6]),
        (Query(host="web"), []),
    ],
)
def test_searching(small: Small, query: Query, numbers: list[int]) -> None:
    assert [record.seq for record in search.records(small.database, query, None)] == numbers
    assert [record.seq for record in search.newest(small.database, query, 2)] == numbers[-2:]


def test_pages_join_without_a_seam(small: Small) -> None:
    small.add(*(entry(number) for number in range(100, 600)))
    positions = [record.position for record in search.records(small.database, Query(), None)]
    assert positions == list(range(1, 507))
    assert [record.position for record in search.records(small.database, Query(), 300)] == positions[:300]


def beat(last: int, done: int | None = None) -> Heartbeat:
    return Heartbeat(
        last_seq=last, done_seq=last if done is None else done, pending=0, boot_id="b", standing="sealed"
    )


def test_a_watch_goes_on_after_a_restart_and_forgets_hosts_without_a_token(small: Small) -> None:
    tokens.add(small.database, "web-1-g1", NOW)
    watch = Watch(small.database, small.clock, Watching(heartbeat_seconds=10))
    assert watch.heard("web-1-g1", beat(6)) == []
    assert watch.tick() == []
    small.clock.seconds = 1000
    watch = Watch(small.database, small.clock, Watching(heartbeat_seconds=10))
    assert watch.tick() == []
    assert [flag.type for flag in watch.heard("web-1-g1", beat(5))] == ["rollback"]
    small.clock.seconds += 31
    [silent] = watch.tick()
    assert silent.type == "silent"
    assert watch.tick() == []
    assert [flag.cause for flag in flags.open_flags(small.database, None)] == ["silent"]
    watch.heard("web-1-g1", beat(6))
    tokens.revoke(small.database, "web-1-g1", (), NOW)
    small.clock.seconds += 1000
    assert watch.tick() == []


def test_two_events_with_one_number_are_a_rollback(small: Small) -> None:
    watch = Watch(small.database, small.clock, Watching())
    small.add(entry(7, kind=Kind.EVENT))
    again, other = entry(7, kind=Kind.EVENT), entry(7, kind=Kind.EVENT, id="another")
    assert watch.clashes([again]) == []
    assert [flag.type for flag in watch.clashes([other])] == ["rollback"]


def flag(name: str, host: str, writer: str = "agent", **body: object) -> Entry:
    content = json.dumps(body).encode()
    return entry(0, kind=Kind.FLAG, host=host, id=name, type="policy", seq=0, writer=writer, body=content)


def pardoned(
    number: int, host: str, key: Ed25519PrivateKey, incident: str, signed_for: str | None = None
) -> Entry:
    """Return the event of a host that applied a pardon, signed for it or for another one."""
    claim = pardon.Claim(
        host=signed_for or host, incident=incident, person="carol", reason="a drill",
        expires="2026-11-24T12:00:00.000000Z", nonce=f"n{number}",
    )  # fmt: skip
    data = {name: value for name, value in msgspec.to_builtins(claim).items() if name != "host"}
    data["signature"] = pardon.sign(claim, key).signature
    body = json.dumps({"event": {"type": "flag.pardoned", "data": data}}).encode()
    return entry(number, kind=Kind.EVENT, host=host, type="flag.pardoned", body=body)


def open_ids(small: Small, key: Ed25519PrivateKey | None) -> list[str]:
    return [one.id for one in flags.open_flags(small.database, None if key is None else key.public_key())]


def test_a_flag_ends_by_a_signed_pardon_a_record_of_one_or_retirement(small: Small) -> None:
    key = Ed25519PrivateKey.generate()
    small.add(flag("i1", "a"), flag("i2", "b"), flag("i3", "c"), flag("i4", "d"))
    small.add(
        pardoned(20, "a", key, "i1"),
        entry(21, kind=Kind.PARDON, host="b", ref="i2"),
        entry(22, kind=Kind.REPLACEMENT, host="c", type="retired"),
        entry(23, kind=Kind.REPLACEMENT, host="d", type="verifying"),
    )
    assert open_ids(small, key) == ["i4"]
    assert open_ids(small, None) == ["i1", "i4"], "without the key no host's word counts"
    small.add(flag("i5", "c"))
    assert open_ids(small, key) == ["i4", "i5"]


def test_what_a_host_says_of_itself_ends_no_flag(small: Small) -> None:
    key, stranger = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    small.add(flag("i1", "a"), flag("silent-1", "a", writer="ledger"))
    small.add(
        pardoned(20, "a", stranger, "i1"),
        pardoned(21, "b", key, "i1"),
        pardoned(22, "a", key, "i1", signed_for="b"),
        pardoned(23, "a", key, "silent-1"),
        entry(
            24, kind=Kind.EVENT, host="a", type="flag.pardoned", body=b'{"event":{"data":{"incident":"i1"}}}'
        ),
    )
    assert open_ids(small, key) == ["i1", "silent-1"]


@pytest.mark.parametrize("data", [b"[]", b"5", b'{"incident":[]}', b'{"signature":5}', b'{"signature":"!"}'])
def test_no_record_of_a_host_keeps_the_flags_from_being_read(small: Small, data: bytes) -> None:
    small.add(flag("i1", "a", deadline=5, reasons=5), flag("i2", "a", deadline="tomorrow", reasons=[1]))
    small.add(
        entry(20, kind=Kind.EVENT, host="a", type="flag.pardoned", body=b'{"event":{"data":%s}}' % data)
    )
    found = flags.open_flags(small.database, Ed25519PrivateKey.generate().public_key())
    assert [(one.id, one.deadline, one.reasons) for one in found] == [("i1", NOW, ()), ("i2", NOW, ("1",))]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["data", "session", "writer", "user", "key", "fingerprint", "host", "name", "id", "type", "findings", "rule"]),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_facts_are_dug_out_of_anything(value: object) -> None:
    found = facts.of_event(value)
    assert all(isinstance(text, str) for text in (found.id, found.type, found.user, found.key))
    assert set(facts.rules(value)) <= set(" _.-") | set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    )


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-24T12:00:00Z", "2026-11-24T12:00:00.000000Z"),
        ("2026-11-24T12:00:00.1Z", "2026-11-24T12:00:00.100000Z"),
        ("2026-11-24T12:00:00.123456789Z", "2026-11-24T12:00:00.123456Z"),
        ("2026-11-24T13:00:00+01:00", "2026-11-24T12:00:00.000000Z"),
    ],
)
def test_moments_are_made_comparable(text: str, moment: str) -> None:
    assert facts.moment(text) == moment


@pytest.mark.parametrize("text", ["", "now", "2026-13-24T12:00:00Z", "2026-11-24T12:00:00", "2026-11-24"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message is Python's
        facts.moment(text)
