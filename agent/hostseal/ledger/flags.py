"""Flags: those the ledger raises itself, and which are still open."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from hostseal.core.event import timestamp
from hostseal.core.presence import Alarm
from hostseal.ledger.database import Database
from hostseal.ledger.entry import Entry, Kind, OpenFlag
from hostseal.ledger.schema import records

RETIRED = "retired"
PARDONED = "flag.pardoned"


def raised(host: str, alarm: Alarm, episode: str, now: datetime, deadline_seconds: int) -> Entry:
    """Return the flag that the ledger raises; `episode` tells this occurrence from earlier ones of the same alarm."""
    name = hashlib.sha256(msgspec.json.encode([host, alarm.cause, alarm.key, episode])).hexdigest()
    body = {
        "host": host,
        "cause": str(alarm.cause),
        "reasons": [alarm.reason],
        "deadline": timestamp(now + timedelta(seconds=deadline_seconds)),
    }
    return Entry(
        kind=Kind.FLAG, type=alarm.cause, host=host, id=f"{alarm.cause}-{name[:32]}", writer="ledger",
        time=timestamp(now), body=msgspec.json.encode(body),
    )  # fmt: skip


def open_flags(database: Database) -> list[OpenFlag]:
    """Return the flags that stand, oldest first.

    A flag ends by the host's own pardoned event or a record of kind `pardon` that names its incident, or when the
    host was retired after it (a `replacement` of type `retired`).
    """
    with database.reading() as db:
        flags = db.execute(_of(Kind.FLAG)).all()
        pardoned = {
            msgspec.json.decode(row.body).get("event", {}).get("data", {}).get("incident")
            for row in db.execute(_of(Kind.EVENT).where(records.c.type == PARDONED))
        }
        pardoned |= {row.ref for row in db.execute(_of(Kind.PARDON))}
        retired = {
            row.host: row.position
            for row in db.execute(_of(Kind.REPLACEMENT).where(records.c.type == RETIRED))
        }
    return [_flag(row) for row in flags if row.id not in pardoned and row.position > retired.get(row.host, 0)]


def _of(kind: str) -> "sa.Select[Any]":
    return sa.select(records).where(records.c.kind == kind).order_by(records.c.position)


def _flag(row: Any) -> OpenFlag:
    body = msgspec.json.decode(row.body)
    return OpenFlag(
        id=row.id,
        host=row.host,
        cause=row.type,
        reasons=tuple(str(reason) for reason in body.get("reasons") or ()),
        raised=row.time,
        deadline=body.get("deadline"),
        writer=row.writer,
        position=row.position,
    )
