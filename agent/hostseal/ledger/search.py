"""Finds records by host, kind, person, key, rule and time."""

from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from hostseal.ledger.database import Database
from hostseal.ledger.entry import Record
from hostseal.ledger.schema import records as table

_PAGE = 200


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What records must have; None is anything. `since` and `until` (RFC 3339 in UTC) bound the writer's time."""

    host: str | None = None
    kind: str | None = None
    type: str | None = None
    user: str | None = None
    key: str | None = None
    rule: str | None = None
    ref: str | None = None
    since: str | None = None
    until: str | None = None
    after: int = 0


def records(database: Database, query: Query, limit: int | None) -> Iterator[Record]:
    """Yield at most `limit` matching records in the chain's order. Pages are views of their own: writers go on."""
    position, left = query.after, limit
    while left is None or left > 0:
        page = _PAGE if left is None else min(left, _PAGE)
        statement = _matching(query).where(table.c.position > position).order_by(table.c.position).limit(page)
        with database.reading() as db:
            rows = db.execute(statement).all()
        yield from map(_record, rows)
        if len(rows) < page:
            return
        position = rows[-1].position
        left = None if left is None else left - len(rows)


def newest(database: Database, query: Query, limit: int) -> list[Record]:
    """Return the last `limit` matching records, in the chain's order."""
    statement = (
        _matching(query).where(table.c.position > query.after).order_by(table.c.position.desc()).limit(limit)
    )
    with database.reading() as db:
        return [_record(row) for row in reversed(db.execute(statement).all())]


def _matching(query: Query) -> "sa.Select[Any]":
    statement = sa.select(table)
    for name in ("host", "kind", "type", "user", "key", "ref"):
        if (value := getattr(query, name)) is not None:
            statement = statement.where(table.c[name] == value)
            if name in {"user", "key", "ref"}:
                # What the partial index promises; without it SQLite cannot see that it fits.
                statement = statement.where(table.c[name] != "")
    if query.rule is not None:
        statement = statement.where(table.c.rules.contains(f" {query.rule} ", autoescape=True))
    if query.since is not None:
        statement = statement.where(table.c.time >= query.since)
    if query.until is not None:
        statement = statement.where(table.c.time < query.until)
    return statement


def _record(row: Any) -> Record:
    return Record(
        position=row.position,
        hash=row.hash.hex(),
        kind=row.kind,
        type=row.type,
        host=row.host,
        id=row.id,
        writer=row.writer,
        time=row.time,
        received=row.received,
        seq=row.seq,
        user=row.user,
        key=row.key,
        rules=tuple(row.rules.split()),
        ref=row.ref,
        body=msgspec.json.decode(row.body),
    )
