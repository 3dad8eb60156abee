"""What the ledger has not got yet, read from the spool; how far it is stands in the spool's meta table."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import msgspec

from hostseal.core.decision import Decision
from hostseal.core.event import from_timestamp, timestamp
from hostseal.core.standing import Incident
from hostseal.errors import SpoolError
from hostseal.uplink.wire import Parcel

MAX_RECORDS = 200
MAX_BYTES = 1 << 19
_TOLD = "CREATE TABLE IF NOT EXISTS told (action TEXT PRIMARY KEY)"
_EVENTS = (
    "SELECT seq, id, time, body, decision_id, decision, decided, done FROM events WHERE seq > ? AND state = 'done'"
    " AND seq < ifnull((SELECT min(seq) FROM events WHERE state != 'done'), 1 << 62) ORDER BY seq LIMIT ?"
)
_ACTIONS = (
    "SELECT id, action, incident, event, created, state, attempts, error, finished FROM actions"
    " WHERE state IN ('done', 'dead') AND id NOT IN (SELECT action FROM told) ORDER BY finished LIMIT ?"
)


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be sent next, and what is done once the ledger has it."""

    parcels: tuple[Parcel, ...] = ()
    cursor: int = 0
    actions: tuple[str, ...] = ()
    flag: str = ""


class Outbox:
    """A connection of its own to the spool's file, for one thread."""

    def __init__(self, spool: Path, host: str) -> None:
        """Open it; SpoolError when that fails."""
        self._path, self._host = spool, host
        with self._told():
            self._db = sqlite3.connect(spool, timeout=5, isolation_level=None)
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute("PRAGMA cache_size=-256")
            self._db.execute(_TOLD)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def numbers(self) -> tuple[int, int, int]:
        """Return the highest seq, the highest one up to which all is acknowledged, and how many events wait."""
        with self._told():
            last, first_waiting, waiting = self._db.execute(
                "SELECT ifnull(max(seq), 0), (SELECT min(seq) FROM events WHERE state != 'done'),"
                " (SELECT count(*) FROM events WHERE state != 'done') FROM events"
            ).fetchone()
        return last, last if first_waiting is None else first_waiting - 1, waiting

    def next(self, incident: Incident | None, limit: int = MAX_RECORDS) -> Batch:
        """Return the flag that stands, alone, if the ledger has not got it; else at most `limit` events and outcomes."""
        with self._told():
            cursor = self.cursor()
            if flag := self._flag(incident):
                return Batch(parcels=(flag,), cursor=cursor, flag=flag.id)
            events, cursor = self._events(cursor, limit)
            actions = [_action(self._host, row) for row in self._rows(_ACTIONS, limit - len(events))]
        return Batch(
            parcels=(*events, *(parcel for _, parcel in actions)),
            cursor=cursor,
            actions=tuple(name for name, _ in actions),
        )

    def sent(self, batch: Batch) -> None:
        """Note that the ledger has a batch on its disk."""
        with self._told(), self._transaction():
            self._remember("ledger.cursor", str(batch.cursor))
            if batch.flag:
                self._remember("ledger.flag", batch.flag)
            self._db.executemany("INSERT OR IGNORE INTO told VALUES (?)", [(name,) for name in batch.actions])

    def forget(self) -> None:
        """Note that the ledger has nothing: it is another one, or it has lost what it had."""
        with self._told(), self._transaction():
            self._db.execute("DELETE FROM meta WHERE key IN ('ledger.cursor', 'ledger.flag')")
            self._db.execute("DELETE FROM told")

    def cursor(self) -> int:
        """Return the seq up to which the ledger has every event."""
        return int(self._recall("ledger.cursor") or 0)

    def _events(self, after: int, limit: int) -> tuple[list[Parcel], int]:
        parcels: list[Parcel] = []
        size, cursor = 0, after
        for seq, *row in self._rows(_EVENTS, after, limit):
            parcel = _event(self._host, *row)
            size += len(bytes(parcel.body))
            if parcels and size > MAX_BYTES:
                break
            parcels.append(parcel)
            cursor = seq
        return parcels, cursor

    def _flag(self, incident: Incident | None) -> Parcel | None:
        if incident is None or self._recall("ledger.flag") == incident.id:
            return None
        query = "SELECT id, body, decision_id, decision, decided FROM events WHERE id = ?"
        row = next(self._rows(query, incident.events[0]), None)
        return _flag(self._host, incident, row)

    def _rows(self, statement: str, *values: object) -> Iterator[tuple[Any, ...]]:
        return iter(self._db.execute(statement, values))

    def _recall(self, key: str) -> str:
        row = next(self._rows("SELECT value FROM meta WHERE key = ?", key), None)
        return "" if row is None else bytes(row[0]).decode()

    def _remember(self, key: str, value: str) -> None:
        self._db.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, value.encode()),
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise SpoolError(
                f"the spool cannot be read for the ledger: {error}", hint=str(self._path)
            ) from error


def _event(
    host: str,
    name: str,
    time: str,
    body: bytes,
    decision_id: str | None,
    decision: bytes | None,
    decided: str | None,
    done: str | None,
) -> Parcel:
    content = {
        "event": msgspec.Raw(body),
        "decision_id": decision_id,
        "decision": None if decision is None else msgspec.Raw(decision),
        "decided": decided,
        "done": done,
    }
    return _parcel("event", host, name, time, content)


def _flag(host: str, incident: Incident, row: tuple[Any, ...] | None) -> Parcel:
    """Return the flag as its first event raised it: what it grew to later would be another content of the same id."""
    content: dict[str, Any] = {"host": host, "incident": incident.id, "opened": incident.opened}
    if row is None or row[3] is None:
        return _parcel("flag", host, incident.id, incident.opened, content)
    _, body, decision_id, raw, decided = row
    decision = msgspec.json.decode(raw, type=Decision)
    seconds = decision.deadline_seconds
    content |= {
        "reasons": [finding.message for finding in decision.counted],
        "deadline": None
        if seconds is None
        else timestamp(from_timestamp(decided) + timedelta(seconds=seconds)),
        "event": msgspec.Raw(body),
        "decision_id": decision_id,
        "decision": msgspec.Raw(raw),
        "decided": decided,
    }
    return _parcel("flag", host, incident.id, incident.opened, content)


def _action(host: str, row: tuple[Any, ...]) -> tuple[str, Parcel]:
    names = ("id", "action", "incident", "event", "created", "state", "attempts", "error", "finished")
    content = {"host": host, **dict(zip(names, row, strict=True))}
    name = f"{content['id']}:{content['state']}:{content['attempts']}"
    return content["id"], _parcel("action", host, name, content["finished"] or content["created"], content)


def _parcel(kind: str, host: str, name: str, time: str, content: dict[str, Any]) -> Parcel:
    return Parcel(kind=kind, id=name, host=host, time=time, body=msgspec.Raw(msgspec.json.encode(content)))
