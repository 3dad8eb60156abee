"""Watches over the hosts: who was heard when, and the flags that follow when one is silent or its numbers do not fit."""

import threading
from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from hostseal.core import presence
from hostseal.core.event import timestamp
from hostseal.core.presence import Alarm, Beat, Cause, Presence
from hostseal.ledger import flags, store
from hostseal.ledger.database import Database
from hostseal.ledger.entry import Entry, Kind
from hostseal.ledger.reports import Heartbeat
from hostseal.ledger.schema import hosts, records, tokens
from hostseal.ports import Clock

_NUMBERS_AT_ONCE = 20_000


class Watching(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds between heartbeats, and how long a host that the ledger flags has until it is replaced."""

    heartbeat_seconds: float = 30.0
    deadline_seconds: int = 3600


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a host: when it was last heard (RFC 3339), what it said, and how complete its events are."""

    heard: str
    heartbeat: Heartbeat
    complete: int | None = None
    silent: bool = False


class Watch:
    """The hosts that have a token and were heard at least once."""

    def __init__(self, database: Database, clock: Clock, settings: Watching) -> None:
        """Go on with the hosts of the database; while nobody listened nobody was silent, so patience begins now."""
        self._database, self._clock, self.settings = database, clock, settings
        self._lock = threading.RLock()
        self._seen: dict[str, Seen] = {}
        self._presences: dict[str, Presence] = {}
        self._dirty: set[str] = set()
        with database.reading() as db:
            rows = db.execute(sa.select(hosts.c.host, hosts.c.body)).all()
        for host, body in rows:
            seen = msgspec.json.decode(body, type=Seen)
            self._seen[host] = seen
            self._presences[host] = Presence(
                host=host,
                heard=clock.monotonic(),
                highest=seen.heartbeat.last_seq,
                done=seen.heartbeat.done_seq,
                complete=seen.complete,
                silent=seen.silent,
            )

    def heard(self, host: str, heartbeat: Heartbeat) -> list[Entry]:
        """Take a heartbeat; return the flags it gives reason for."""
        with self._lock:
            moment = self._clock.monotonic()
            known = self._presences.get(host) or Presence(host=host, heard=moment)
            numbers = Beat(last_seq=heartbeat.last_seq, done_seq=heartbeat.done_seq)
            after, alarms = presence.beat(known, numbers, moment)
            self._presences[host] = after
            self._seen[host] = Seen(
                heard=timestamp(self._clock.now()), heartbeat=heartbeat, complete=after.complete
            )
            self._dirty.add(host)
            return self._flags(host, alarms)

    def clashes(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return flags for events whose number another event of the same host already has."""
        found: list[Entry] = []
        with self._database.reading() as db:
            for entry in entries:
                if entry.kind != Kind.EVENT:
                    continue
                taken = sa.select(records.c.id).where(
                    records.c.host == entry.host, records.c.kind == Kind.EVENT, records.c.seq == entry.seq
                )
                other = db.execute(taken).scalar()
                if other is not None and other != entry.id:
                    reason = f"two of its events have the number {entry.seq}: its sequence went back"
                    alarm = Alarm(cause=Cause.ROLLBACK, key=f"{entry.seq}:{entry.id}", reason=reason)
                    found += self._flags(entry.host, (alarm,), episode="number")
        return found

    def tick(self) -> list[Entry]:
        """Look at every host; keep what changed, raise and return what is due."""
        with self._lock:
            self._forget()
            found: list[Entry] = []
            for host in list(self._presences):
                found += self._look(host)
            now = timestamp(self._clock.now())
            if found:
                store.append(self._database, found, now)
            self._keep()
            return found

    def _look(self, host: str) -> list[Entry]:
        known = self._presences[host]
        after = presence.arrived(known, self._numbers(known), self._clock.monotonic())
        after, alarms = presence.due(after, self._clock.monotonic(), self.settings.heartbeat_seconds)
        self._presences[host] = after
        seen = msgspec.structs.replace(self._seen[host], complete=after.complete, silent=after.silent)
        if seen != self._seen[host]:
            self._seen[host] = seen
            self._dirty.add(host)
        return self._flags(host, alarms)

    def _numbers(self, known: Presence) -> list[int]:
        if known.complete is not None and known.done <= known.complete:
            return []
        query = (
            sa.select(records.c.seq)
            .where(
                records.c.host == known.host,
                records.c.kind == Kind.EVENT,
                records.c.seq > (known.complete or 0),
            )
            .order_by(records.c.seq)
            .limit(_NUMBERS_AT_ONCE)
        )
        with self._database.reading() as db:
            return list(db.execute(query).scalars())

    def _flags(self, host: str, alarms: Iterable[Alarm], episode: str | None = None) -> list[Entry]:
        name = self._seen[host].heard if episode is None else episode
        now = self._clock.now()
        return [flags.raised(host, alarm, name, now, self.settings.deadline_seconds) for alarm in alarms]

    def _forget(self) -> None:
        """Leave out hosts that have no token any more: they are retired."""
        with self._database.reading() as db:
            enrolled = set(db.execute(sa.select(tokens.c.host).distinct()).scalars())
        for host in set(self._presences) - enrolled:
            del self._presences[host], self._seen[host]
            self._dirty.add(host)

    def _keep(self) -> None:
        if not self._dirty:
            return
        kept = [host for host in self._dirty if host in self._seen]
        with self._database.writing() as db:
            db.execute(hosts.delete().where(hosts.c.host.in_(list(self._dirty))))
            if kept:
                rows = [{"host": host, "body": msgspec.json.encode(self._seen[host])} for host in kept]
                db.execute(hosts.insert(), rows)
        self._dirty.clear()
