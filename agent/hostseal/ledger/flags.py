"""Flags: those the ledger raises itself, and which are still open."""

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hostseal.core import pardon
from hostseal.core.event import timestamp
from hostseal.core.presence import Alarm
from hostseal.ledger import facts
from hostseal.ledger.database import Database
from hostseal.ledger.entry import Entry, Kind, OpenFlag
from hostseal.ledger.schema import records

RETIRED = "retired"
LEDGER = "ledger"
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
        kind=Kind.FLAG, type=alarm.cause, host=host, id=f"{alarm.cause}-{name[:32]}", writer=LEDGER,
        time=timestamp(now), body=msgspec.json.encode(body),
    )  # fmt: skip


def open_flags(database: Database, pardon_key: Ed25519PublicKey | None) -> list[OpenFlag]:
    """Return the flags that stand, oldest first.

    A flag ends by a record of kind `pardon` that names it, or when the host was retired after it (a `replacement` of type
    `retired`). A host's own pardoned event ends a flag of that host's policy, if the pardon in it was signed by `pardon_key`:
    what a host says is not to be trusted once it is flagged.
    """
    with database.reading() as db:
        flags = db.execute(_of(Kind.FLAG)).all()
        pardoned = set() if pardon_key is None else set(_pardoned(db, pardon_key))
        ended = {row.ref for row in db.execute(_of(Kind.PARDON))}
        retired = {
            row.host: row.position
            for row in db.execute(_of(Kind.REPLACEMENT).where(records.c.type == RETIRED))
        }
    return [
        _flag(row)
        for row in flags
        if row.id not in ended
        and row.position > retired.get(row.host, 0)
        and not ((row.host, row.id) in pardoned and row.writer != LEDGER)
    ]


def _pardoned(db: sa.Connection, key: Ed25519PublicKey) -> Iterator[tuple[str, str]]:
    """Yield host and incident of each pardon that hosts have applied and that was signed for them."""
    for row in db.execute(_of(Kind.EVENT).where(records.c.type == PARDONED)):
        incident = pardon.recorded(facts.at(msgspec.json.decode(row.body), "event", "data"), row.host, key)
        if incident is not None:
            yield row.host, incident


def _of(kind: str) -> "sa.Select[Any]":
    return sa.select(records).where(records.c.kind == kind).order_by(records.c.position)


def _flag(row: Any) -> OpenFlag:
    body = msgspec.json.decode(row.body)
    reasons = facts.at(body, "reasons")
    return OpenFlag(
        id=row.id,
        host=row.host,
        cause=row.type,
        reasons=tuple(str(reason) for reason in reasons) if isinstance(reasons, list) else (),
        raised=row.time,
        deadline=_deadline(facts.at(body, "deadline"), row.received),
        writer=row.writer,
        position=row.position,
    )


def _deadline(said: Any, received: str) -> str | None:
    """Return the deadline; one that is no moment has passed: a host cannot put its replacement off by it."""
    try:
        return None if said is None else facts.moment(said)
    except (TypeError, ValueError):
        return received
