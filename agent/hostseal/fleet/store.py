"""The lives of the fleet's hosts, and the lease that lets one controller at a time change them (SQLAlchemy Core)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from hostseal.core.event import timestamp
from hostseal.core.lifecycle import Life, State
from hostseal.errors import LeaseError
from hostseal.fleet.holder import Holder
from hostseal.ledger.database import Database

_META = sa.MetaData()
LIVES = sa.Table(
    "fleet_lives",
    _META,
    sa.Column("host", sa.String, primary_key=True),
    sa.Column("slot", sa.String, nullable=False, index=True),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
LEASES = sa.Table(
    "fleet_leases",
    _META,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Column("holder", sa.LargeBinary, nullable=False),
    sa.Column("until", sa.String, nullable=False),
)
_NAME = "fleet"


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """The right to change lives. `fence` rises with each lease: a controller that was thought dead cannot write any more."""

    fence: int
    holder: Holder


class LifeStore:
    """Lives by host name; those that are retired stay for the record and are not listed."""

    def __init__(
        self, database: Database, now: Callable[[], datetime], *, lease_seconds: float = 600
    ) -> None:
        """Keep the lives beside the ledger's records. LedgerError when the database cannot be used, here and below."""
        self._database, self._now, self._seconds = database, now, lease_seconds
        with database.writing() as db:
            _META.create_all(db)

    @contextmanager
    def lease(self, holder: Holder) -> Iterator[Lease]:
        """Hold the lease; LeaseError while another controller that may be alive has it. A dead holder's is taken over."""
        lease = self._take(holder)
        try:
            yield lease
        finally:
            self._give_back(lease)

    def all(self) -> list[Life]:
        """Return the lives that are not over, by host name."""
        query = sa.select(LIVES.c.body).where(LIVES.c.state != State.RETIRED).order_by(LIVES.c.host)
        with self._database.reading() as db:
            return [msgspec.json.decode(row.body, type=Life) for row in db.execute(query)]

    def get(self, host: str) -> Life | None:
        """Return one host's life, a retired one's too."""
        with self._database.reading() as db:
            row = db.execute(sa.select(LIVES.c.body).where(LIVES.c.host == host)).first()
        return None if row is None else msgspec.json.decode(row.body, type=Life)

    def save(self, lease: Lease, life: Life) -> None:
        """Write one life down, durably. LeaseError when the lease is another's by now."""
        with self._database.writing() as db:
            self._check(db, lease)
            _put(db, life)

    def succeed(self, lease: Lease, gone: Life, successor: Life) -> None:
        """Write a retired host and its successor down, both or neither."""
        with self._database.writing() as db:
            self._check(db, lease)
            _put(db, gone)
            _put(db, successor)

    def _take(self, holder: Holder) -> Lease:
        with self._database.writing() as db:
            row = db.execute(sa.select(LEASES).where(LEASES.c.name == _NAME).with_for_update()).first()
            fence = 1
            if row is not None:
                other = msgspec.json.decode(row.holder, type=Holder)
                if row.until > timestamp(self._now()) and other.may_be_alive(holder):
                    raise LeaseError(
                        f"another controller is at work: {other}", hint=f"its lease ends at {row.until}"
                    )
                fence = row.fence + 1
                db.execute(sa.delete(LEASES).where(LEASES.c.name == _NAME, LEASES.c.fence == row.fence))
            db.execute(
                sa.insert(LEASES).values(
                    name=_NAME, fence=fence, holder=msgspec.json.encode(holder), until=self._until()
                )
            )
        return Lease(fence=fence, holder=holder)

    def _check(self, db: sa.Connection, lease: Lease) -> None:
        mine = (LEASES.c.name == _NAME) & (LEASES.c.fence == lease.fence)
        renewed = db.execute(sa.update(LEASES).where(mine).values(until=self._until()))
        if renewed.rowcount != 1:
            raise LeaseError("another controller has taken over", hint="this one stops here")

    def _give_back(self, lease: Lease) -> None:
        mine = (LEASES.c.name == _NAME) & (LEASES.c.fence == lease.fence)
        with self._database.writing() as db:
            db.execute(sa.update(LEASES).where(mine).values(until=timestamp(self._now())))

    def _until(self) -> str:
        return timestamp(self._now() + timedelta(seconds=self._seconds))


def _put(db: sa.Connection, life: Life) -> None:
    values = {"slot": life.instance.slot, "state": str(life.state), "body": msgspec.json.encode(life)}
    host = life.instance.host
    changed = db.execute(sa.update(LIVES).where(LIVES.c.host == host).values(**values))
    if changed.rowcount == 0:
        db.execute(sa.insert(LIVES).values(host=host, **values))
