"""What should be here and is not: numbers missing from a host's sequence, decisions and events without each other."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
import sqlalchemy as sa

from hostseal.core.event import timestamp
from hostseal.ledger.database import Database
from hostseal.ledger.entry import Kind
from hostseal.ledger.schema import records


class Missing(StrEnum):
    """What is missing."""

    EVENTS = "events"
    DECISION = "decision"
    EVENT = "event"


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that never arrived. `first` and `last` are numbers of a sequence; `id` is a decision's or an event's.

    `position` is the record that tells of it, `received` (RFC 3339) when that arrived.
    """

    host: str
    missing: Missing
    reason: str
    position: int
    received: str
    id: str = ""
    first: int = 0
    last: int = 0


def find(database: Database, now: datetime, grace_seconds: float) -> list[Gap]:
    """Return what is missing, for which the record that tells of it is older than `grace_seconds`, by position."""
    before = timestamp(now - timedelta(seconds=grace_seconds))
    with database.reading() as db:
        found = [*_numbers(db, before), *_decisions(db, before), *_events(db, before)]
    return sorted(found, key=lambda gap: gap.position)


def _numbers(db: sa.Connection, before: str) -> list[Gap]:
    earlier = (
        sa.func.lag(records.c.seq).over(partition_by=records.c.host, order_by=records.c.seq).label("earlier")
    )
    seen = (
        sa.select(records.c.host, records.c.seq, records.c.position, records.c.received, earlier)
        .where(records.c.kind == Kind.EVENT)
        .subquery()
    )
    jumps = sa.select(seen).where(seen.c.seq > seen.c.earlier + 1, seen.c.received < before)
    return [
        Gap(
            host=row.host,
            missing=Missing.EVENTS,
            reason=f"its events {row.earlier + 1} to {row.seq - 1} never arrived",
            position=row.position,
            received=row.received,
            first=row.earlier + 1,
            last=row.seq - 1,
        )
        for row in db.execute(jumps)
    ]


def _decisions(db: sa.Connection, before: str) -> list[Gap]:
    return [
        Gap(
            host=row.host,
            missing=Missing.DECISION,
            reason=f"its agent has decision {row.ref}, which its OPA never sent",
            position=row.position,
            received=row.received,
            id=row.ref,
        )
        for row in db.execute(_without(Kind.EVENT, Kind.DECISION, before))
    ]


def _events(db: sa.Connection, before: str) -> list[Gap]:
    return [
        Gap(
            host=row.host,
            missing=Missing.EVENT,
            reason=f"its OPA decided about event {row.ref}, which its agent never sent",
            position=row.position,
            received=row.received,
            id=row.ref,
        )
        for row in db.execute(_without(Kind.DECISION, Kind.EVENT, before))
    ]


def _without(kind: str, other: str, before: str) -> "sa.Select[Any]":
    """Select the records of one kind that name by `ref` a record of the other kind which is not there."""
    match = records.alias("other")
    there = sa.select(sa.literal(1)).where(
        match.c.id == records.c.ref, match.c.kind == other, match.c.host == records.c.host
    )
    return sa.select(records.c.host, records.c.ref, records.c.position, records.c.received).where(
        records.c.kind == kind, records.c.ref != "", records.c.received < before, ~sa.exists(there)
    )
