"""The ledger's database: one file, WAL and `synchronous=FULL`; a commit that returns is on disk."""

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from hostseal.errors import LedgerError
from hostseal.ledger import schema

_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "journal_size_limit=67108864")


class Database:
    """Transactions on the ledger's tables; errors of the database become LedgerError."""

    def __init__(self, path: Path) -> None:
        """Open a ledger; LedgerError when there is none at `path` or it cannot be used."""
        if not path.is_file():
            raise LedgerError(f"there is no ledger at {path}", hint="`hostseal ledger serve` makes one")
        self.path = path
        self._engine = sa.create_engine(f"sqlite:///{path}", pool_size=4, max_overflow=4)
        sa.event.listen(self._engine, "connect", _connected)
        sa.event.listen(self._engine, "begin", _begun)
        self._writing = self._engine.execution_options(hostseal_begin="BEGIN IMMEDIATE")
        with self.reading() as db:
            rows = db.execute(sa.select(schema.meta.c.key, schema.meta.c.value)).all()
        found = {str(key): str(value) for key, value in rows}
        if found.get("version") != str(schema.VERSION):
            raise LedgerError(
                f"the ledger has version {found.get('version')}, this program knows {schema.VERSION}",
                hint=str(path),
            )
        self.ledger_id = found["ledger"]

    def close(self) -> None:
        """Close the file."""
        self._engine.dispose()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Yield one consistent view."""
        with _told(self.path), self._engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Yield a transaction that is the only writer from its beginning; it is on disk when the block ends."""
        with _told(self.path), self._writing.begin() as connection:
            yield connection


def make(path: Path) -> None:
    """Make an empty ledger, with an id of its own, unless there is one; LedgerError when that fails."""
    if path.exists():
        return
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    engine = sa.create_engine(f"sqlite:///{fresh}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.touch(mode=0o600)
        with _told(path), engine.begin() as connection:
            schema.metadata.create_all(connection)
            values = {"version": str(schema.VERSION), "ledger": secrets.token_hex(16)}
            rows = [{"key": key, "value": value} for key, value in values.items()]
            connection.execute(schema.meta.insert(), rows)
        engine.dispose()
        # A link, not a rename: of two that make it at a time, one wins, and the other uses what it made.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(fresh)
    except OSError as error:
        raise LedgerError(f"cannot make the ledger: {error}", hint=str(path)) from error
    finally:
        fresh.unlink(missing_ok=True)


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        full = getattr(cause, "sqlite_errorname", "") in {"SQLITE_FULL", "SQLITE_IOERR_WRITE"}
        hint = "free space on its file system" if full else str(path)
        raise LedgerError(f"cannot use the ledger: {cause}", hint=hint) from error


def _connected(connection: Any, _record: object) -> None:
    # The driver's own idea of when a transaction begins is switched off; _begun says it.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begun(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("hostseal_begin", "BEGIN"))
