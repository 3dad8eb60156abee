"""The lives of the fleet's hosts, and the lease that lets one controller at a time change them (SQLAlchemy Core)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from hostseal.core.event import timestamp
from hostseal.core.lifecycle import Life, State
from hostseal.errors import LeaseError, NotReplacedError
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
    sa.Column("held", sa.Boolean, nullable=False),
)
_NAME = "fleet"
# Longer than any one step: OpenTofu alone may take a quarter of an hour.
LEASE_SECONDS = 3600.0


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """The right to change lives. `fence` rises with each lease: a controller that was thought dead cannot write any more."""

    fence: int
    holder: Holder


class LifeStore:
    """Lives by host name; those that are retired stay for the record and are not listed."""

    def __init__(
        self, database: Database, now: Callable[[], datetime], *, lease_seconds: float = LEASE_SECONDS
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
            return _get(db, host)

    def used(self, slot: str) -> int:
        """Return the highest generation that was ever given out in a slot, 0 when there was none."""
        query = sa.select(LIVES.c.body).where(LIVES.c.slot == slot)
        with self._database.reading() as db:
            return max(
                (msgspec.json.decode(row.body, type=Life).used for row in db.execute(query)), default=0
            )

    def renew(self, lease: Lease) -> None:
        """Hold the lease for as long as at its beginning. LeaseError when it is another's by now."""
        with self._database.writing() as db:
            self._check(db, lease)

    def save(self, lease: Lease, life: Life) -> Life:
        """Write one life down, durably, and return it with the hold it has. LeaseError when the lease is another's by now."""
        with self._database.writing() as db:
            self._check(db, lease)
            known = _get(db, life.instance.host)
            kept = life if known is None else replace(life, hold=known.hold)
            _put(db, kept)
        return kept

    def edit(self, host: str, step: Callable[[Life], Life]) -> Life:
        """Apply a person's step (a hold, a release) to a host's life, lease or not; NotReplacedError when there is none."""
        with self._database.writing() as db:
            known = _get(db, host)
            if known is None or known.state is State.RETIRED:
                raise NotReplacedError(f"there is no host {host}", hint="hostseal fleet status")
            after = step(known)
            _put(db, after)
        return after

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
                over = row.until <= timestamp(self._now())
                if row.held and other.may_be_alive(holder) and not (over and other.elsewhere(holder)):
                    raise LeaseError(
                        f"another controller is at work: {other}", hint=f"its lease ends at {row.until}"
                    )
                fence = row.fence + 1
                db.execute(sa.delete(LEASES).where(LEASES.c.name == _NAME, LEASES.c.fence == row.fence))
            db.execute(
                sa.insert(LEASES).values(
                    name=_NAME,
                    fence=fence,
                    holder=msgspec.json.encode(holder),
                    until=self._until(),
                    held=True,
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
            db.execute(sa.update(LEASES).where(mine).values(held=False))

    def _until(self) -> str:
        return timestamp(self._now() + timedelta(seconds=self._seconds))


def _get(db: sa.Connection, host: str) -> Life | None:
    row = db.execute(sa.select(LIVES.c.body).where(LIVES.c.host == host)).first()
    return None if row is None else msgspec.json.decode(row.body, type=Life)


def _put(db: sa.Connection, life: Life) -> None:
    values = {"slot": life.instance.slot, "state": str(life.state), "body": msgspec.json.encode(life)}
    host = life.instance.host
    changed = db.execute(sa.update(LIVES).where(LIVES.c.host == host).values(**values))
    if changed.rowcount == 0:
        db.execute(sa.insert(LIVES).values(host=host, **values))
