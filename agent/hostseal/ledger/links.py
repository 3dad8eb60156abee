"""The links of a stored chain, checked one by one over the stored bytes."""

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

import msgspec

from hostseal.core import chain
from hostseal.errors import LedgerError

MOST = 100
PATIENCE_SECONDS = 10.0
_COLUMNS = ", ".join(chain.FIELDS)
_SELECT = (
    f"SELECT position, version, hash, seq, {_COLUMNS} FROM records"  # noqa: S608 - the columns are ours
    " WHERE position > ? AND position <= ? ORDER BY position"
)
_ALL = 1 << 62
_TOLD = 10
_UNREADABLE = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
    }
)


class Trouble(StrEnum):
    """What is wrong with a chain."""

    DAMAGED = "damaged"
    EDITED = "edited"
    MISSING = "missing"
    INSERTED = "inserted"
    CUT = "cut"
    REWRITTEN = "rewritten"
    CHECKPOINT = "checkpoint"
    UNSIGNED = "unsigned"
    WITNESS = "witness"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong: where (a position in the chain, 0 for the whole), and a sentence about it."""

    trouble: Trouble
    position: int
    says: str


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a read-only connection that gives text as its stored bytes; LedgerError when there is no such file."""
    if not path.is_file():
        raise LedgerError(f"there is no ledger at {path}")
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=PATIENCE_SECONDS, isolation_level=None)
    try:
        db.text_factory = bytes
        yield db
    finally:
        db.close()


def tail(db: sqlite3.Connection) -> tuple[int, bytes | None]:
    """Return the last record's position and stored hash; 0 and None when there is none."""
    row = db.execute("SELECT position, hash FROM records ORDER BY position DESC LIMIT 1").fetchone()
    return (row[0], bytes(row[1])) if row else (0, None)


def hash_at(db: sqlite3.Connection, position: int) -> str | None:
    """Return the stored hash (hex) at a position, None when there is no record."""
    row = db.execute("SELECT hash FROM records WHERE position = ?", (position,)).fetchone()
    return bytes(row[0]).hex() if row else None


def damage(db: sqlite3.Connection) -> list[Finding]:
    """Return what SQLite itself finds wrong with the file's pages and the tables in them."""
    return _checked(db, f"PRAGMA quick_check({_TOLD})")


def index_damage(path: Path) -> list[Finding]:
    """Return where the indexes that searching goes by do not fit the records: a search could be made to miss some."""
    try:
        with opened(path) as db:
            return _checked(db, f"PRAGMA integrity_check({_TOLD})")
    except sqlite3.DatabaseError as error:
        return [damaged(error)]


def damaged(what: object) -> Finding:
    """Return the finding that the file is no sound database; LedgerError when it only cannot be read just now."""
    if isinstance(what, sqlite3.Error) and getattr(what, "sqlite_errorcode", 0) & 0xFF in _UNREADABLE:
        raise LedgerError(
            f"the ledger cannot be read: {what}", hint="are you root? is its directory writable?"
        )
    return Finding(trouble=Trouble.DAMAGED, position=0, says=f"the file is damaged: {what}")


def _checked(db: sqlite3.Connection, statement: str) -> list[Finding]:
    rows = [bytes(row[0]).decode("utf-8", "replace") for row in db.execute(statement)]
    return [] if rows == ["ok"] else [damaged(row) for row in rows]


def check(path: Path, ledger: str, begin: int, end: int | None) -> list[Finding]:
    """Return what is wrong with the records after position `begin` up to `end` (None: all), at most MOST findings."""
    findings: list[Finding] = []
    try:
        with opened(path) as db:
            stored = db.execute("SELECT hash FROM records WHERE position = ?", (begin,)).fetchone()
            before = bytes(stored[0]) if stored else None
            previous = chain.genesis(ledger) if begin == 0 else before
            for finding in _walk(db, begin, _ALL if end is None else end, previous):
                findings.append(finding)
                if len(findings) >= MOST:
                    break
    except sqlite3.DatabaseError as error:
        findings.append(damaged(error))
    return findings


def _walk(db: sqlite3.Connection, begin: int, end: int, previous: bytes | None) -> Iterator[Finding]:
    link, version = chain.link, chain.VERSION
    lowest = db.execute("SELECT min(position) FROM records").fetchone()[0]
    if begin == 0 and lowest is not None and lowest < 1:
        yield Finding(trouble=Trouble.INSERTED, position=lowest, says=f"there is a record {lowest}")
    expected = begin + 1
    for position, form, stored, seq, *fields in db.execute(_SELECT, (begin, end)):
        if position != expected:
            yield _missing(expected, position - 1)
            previous = None
        expected = position + 1
        try:
            fits = previous is None or (form == version and link(previous, position, seq, fields) == stored)
        except (struct.error, TypeError):
            fits = False
        if not fits:
            yield _wrong(position, form)
        previous = stored
    if end != _ALL and expected <= end:
        yield _missing(expected, end)


def _missing(first: int, last: int) -> Finding:
    says = f"record {first} is missing" if first == last else f"records {first} to {last} are missing"
    return Finding(trouble=Trouble.MISSING, position=first, says=says)


def _wrong(position: int, form: object) -> Finding:
    if form != chain.VERSION:
        says = f"record {position} has the unknown version {form!r}"
    else:
        says = f"record {position} does not follow from what is stored: it was edited, inserted or moved"
    return Finding(trouble=Trouble.EDITED, position=position, says=says)
