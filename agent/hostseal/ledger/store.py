"""The chain in the database: appends whole batches, each record once, and reads the tail."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec
import sqlalchemy as sa

from hostseal.core import chain
from hostseal.core.chain import Head
from hostseal.core.checkpoint import Checkpoint
from hostseal.ledger.database import Database
from hostseal.ledger.entry import Entry, Kind, Outcome
from hostseal.ledger.schema import checkpoints, records

_CHUNK = 256
_Key = tuple[str, str, str]


def append(database: Database, entries: Iterable[Entry], now: str) -> tuple[Outcome, Head]:
    """Append what is new in one transaction; return what became of it, and the head, once all is on disk.

    `now` is the ledger's time (RFC 3339). `entries` is taken lazily, a few hundred at a time; if it raises,
    nothing is written. An entry with a known name and the same content is `known`; with another content it is
    kept as a record of kind `conflict`. LedgerError when the database fails.
    """
    with database.writing() as db:
        return append_within(db, database.ledger_id, entries, now)


def append_within(db: sa.Connection, ledger: str, entries: Iterable[Entry], now: str) -> tuple[Outcome, Head]:
    """As :func:`append`, as part of a writing transaction of the ledger with that id."""
    writer = _Writer(db, _head(db, ledger), now)
    remaining = iter(entries)
    while chunk := list(islice(remaining, _CHUNK)):
        writer.take(chunk)
    return writer.outcome, writer.head


def head(database: Database) -> Head:
    """Return the chain's head."""
    with database.reading() as db:
        return _head(db, database.ledger_id)


def newest_checkpoint(database: Database) -> bytes | None:
    """Return the newest checkpoint as JSON, None when nothing was signed yet."""
    with database.reading() as db:
        newest = sa.select(checkpoints.c.body).order_by(checkpoints.c.count.desc()).limit(1)
        body = db.execute(newest).scalar()
    return None if body is None else bytes(body)


def add_checkpoint(database: Database, checkpoint: Checkpoint) -> None:
    """Keep a checkpoint; a newer one for the same length replaces it."""
    body = msgspec.json.encode(checkpoint)
    count = checkpoint.claim.count
    with database.writing() as db:
        db.execute(checkpoints.delete().where(checkpoints.c.count == count))
        db.execute(checkpoints.insert(), {"count": count, "body": body})


class _Writer:
    """One transaction's appends."""

    def __init__(self, db: sa.Connection, last: Head, now: str) -> None:
        self._db, self._now = db, now
        self._position, self._hash = last.count, bytes.fromhex(last.hash)
        self.outcome = Outcome()

    @property
    def head(self) -> Head:
        return Head(count=self._position, hash=self._hash.hex())

    def take(self, chunk: Sequence[Entry]) -> None:
        known = self._known(chunk)
        fresh: list[Entry] = []
        conflicts: list[Entry] = []
        repeated = 0
        for entry in chunk:
            key = (entry.id, entry.kind, entry.host)
            body = known.get(key)
            if body is None:
                known[key] = entry.body
                fresh.append(entry)
            elif _same(body, entry.body):
                repeated += 1
            else:
                conflicts.append(_conflict(entry))
        new_conflicts = list(self._unknown(conflicts))
        self._insert([*fresh, *new_conflicts])
        self.outcome = Outcome(
            stored=self.outcome.stored + len(fresh),
            known=self.outcome.known + repeated,
            conflicts=self.outcome.conflicts + len(conflicts),
        )

    def _unknown(self, conflicts: Sequence[Entry]) -> Iterator[Entry]:
        known = self._known(conflicts) if conflicts else {}
        for entry in conflicts:
            key = (entry.id, entry.kind, entry.host)
            if key not in known:
                known[key] = entry.body
                yield entry

    def _known(self, chunk: Sequence[Entry]) -> dict[_Key, bytes]:
        query = sa.select(records.c.id, records.c.kind, records.c.host, records.c.body).where(
            records.c.id.in_([entry.id for entry in chunk])
        )
        return {(row[0], row[1], row[2]): bytes(row[3]) for row in self._db.execute(query)}

    def _insert(self, entries: Sequence[Entry]) -> None:
        if entries:
            self._db.execute(records.insert(), [self._row(entry) for entry in entries])

    def _row(self, entry: Entry) -> dict[str, Any]:
        values = msgspec.structs.asdict(entry)
        values["received"] = self._now
        fields = [
            value.encode() if isinstance(value := values[name], str) else value for name in chain.FIELDS
        ]
        self._position += 1
        self._hash = chain.link(self._hash, self._position, entry.seq, fields)
        values.update(position=self._position, version=chain.VERSION, hash=self._hash)
        return values


def _head(db: sa.Connection, ledger: str) -> Head:
    last = sa.select(records.c.position, records.c.hash).order_by(records.c.position.desc()).limit(1)
    row = db.execute(last).first()
    return Head(count=row[0], hash=row[1].hex()) if row else Head(count=0, hash=chain.genesis(ledger).hex())


def _same(known: bytes, other: bytes) -> bool:
    return known == other or msgspec.json.decode(known) == msgspec.json.decode(other)


def _conflict(entry: Entry) -> Entry:
    digest = hashlib.sha256(entry.body).hexdigest()[:32]
    return msgspec.structs.replace(
        entry, kind=Kind.CONFLICT, type=entry.kind, id=f"{entry.id}#{digest}", ref=entry.id, seq=0
    )
