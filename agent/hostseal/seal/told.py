"""Which differences to the seal were put on record already, so that none is told twice and none is forgotten over a restart."""

import os
import sqlite3
import threading
from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote_to_bytes

import msgspec

from hostseal.core.seal import text
from hostseal.core.seal_compare import Change, Difference
from hostseal.errors import SpoolError

_FILE = "told.sqlite"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS told (path BLOB, change TEXT, found TEXT, how TEXT, PRIMARY KEY (path, change)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TEMP TABLE seen (path BLOB, change TEXT, sealed TEXT, found TEXT, told TEXT, PRIMARY KEY (path, change)) WITHOUT ROWID;
"""
_FORGET = "DELETE FROM told WHERE ? OR path = ? OR (path > ? AND path < ?)"
_KEEP = "INSERT OR REPLACE INTO told SELECT path, change, found, ifnull(told, 'scan') FROM seen"
_SAME = """
UPDATE seen SET told = (
    SELECT how FROM told WHERE told.path = seen.path AND told.change = seen.change AND told.found = seen.found
)
"""
_NOT_THE_SAME = "SELECT path, change FROM seen WHERE told IS NULL AND change IN (?, ?)"
_COUNTS = """
SELECT count(*), ifnull(sum(told = 'live'), 0), ifnull(sum(told IS NULL), 0) FROM seen WHERE told IS NOT 'by_design'
"""
_FIRST = """
SELECT path, change, sealed, found FROM seen WHERE told IS NOT 'by_design' ORDER BY told IS NOT NULL, path LIMIT ?
"""
_FRESH = "SELECT path, change, sealed, found FROM seen WHERE told IS NULL ORDER BY path, change"


class How(StrEnum):
    """By what a difference is on record: a live change, one by design, or a scan."""

    LIVE = "live"
    BY_DESIGN = "by_design"
    SCAN = "scan"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a scan found. `count` is without what is by design; `known` of it was told by live records, `fresh` by nothing.

    `first` are differences, the fresh ones first.
    """

    count: int
    known: int
    fresh: int
    first: tuple[Difference, ...]


class Told:
    """One file in the agent's state. Safe for threads; SpoolError when it cannot be used."""

    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        path = folder / _FILE
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._database = _open(path)
        except sqlite3.DatabaseError:
            path.unlink(missing_ok=True)  # it only spares repeating what is in the spool
            self._database = _open(path)
        self._any = self._one("SELECT count(*) FROM told") > 0

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def recall(self, name: str) -> str | None:
        """Return what was remembered under a name."""
        with self._lock:
            row = self._database.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def remember(self, name: str, value: str) -> None:
        """Remember a small value."""
        with self._lock, self._database:
            self._database.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, value))

    def count(self) -> int:
        """Return how many differences are on record that are not by design."""
        return self._one("SELECT count(*) FROM told WHERE how != 'by_design'") if self._any else 0

    def live(self, judged: Iterable[tuple[bytes, How, Sequence[Difference]]]) -> None:
        """Take what a live record has told of paths; no difference: they are as the seal says again."""
        rows = [
            (path, [(path, d.change, d.found, how) for d in differences])
            for path, how, differences in judged
            if differences or self._any
        ]
        if not rows:
            return
        with self._lock, self._database:
            self._database.executemany("DELETE FROM told WHERE path = ?", [(path,) for path, _ in rows])
            self._database.executemany(
                "INSERT OR REPLACE INTO told VALUES (?, ?, ?, ?)", [row for _, new in rows for row in new]
            )
        self._any = self._any or any(new for _, new in rows)

    def begin(self) -> None:
        """Forget what :meth:`see` has gathered."""
        with self._lock, self._database:
            self._database.execute("DELETE FROM seen")

    def see(self, differences: Iterable[Difference]) -> None:
        """Take differences that a scan finds."""
        with self._lock, self._database:
            self._database.executemany(
                "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, NULL)",
                [(unquote_to_bytes(one.path), one.change, one.sealed, one.found) for one in differences],
            )

    def weigh(self, limit: int) -> list[bytes]:
        """Tell apart what was told, and return at most `limit` of the paths that were not.

        What is under a directory that is told to be gone or new was told with it.
        """
        with self._lock, self._database:
            if self._any:
                self._database.execute(_SAME)
                rest = self._database.execute(_NOT_THE_SAME, (Change.MISSING, Change.ADDED)).fetchall()
                self._database.executemany(
                    "UPDATE seen SET told = ? WHERE path = ? AND change = ?",
                    [(how, *row) for row in rest if (how := self._how_above(*row)) is not None],
                )
            fresh = self._database.execute(
                "SELECT DISTINCT path FROM seen WHERE told IS NULL ORDER BY path LIMIT ?", (limit,)
            ).fetchall()
        return [path for (path,) in fresh]

    def again(self, path: bytes, how: How | None, differences: Sequence[Difference]) -> None:
        """Take what a second look found at a path that the scan had differences of."""
        with self._lock, self._database:
            self._database.execute("DELETE FROM seen WHERE path = ?", (path,))
            self._database.executemany(
                "INSERT INTO seen VALUES (?, ?, ?, ?, ?)",
                [(path, one.change, one.sealed, one.found, how) for one in differences],
            )

    def fresh(self, folders: Collection[bytes], limit: int) -> tuple[int, dict[bytes, list[Difference]]]:
        """Take what nobody told in these very directories for told live; return how many paths, and the first of them."""
        found: dict[bytes, list[Difference]] = {}
        count = 0
        with self._lock, self._database:
            rows = self._database.execute(_FRESH).fetchall()
            for path, change, sealed, now in rows:
                if os.path.dirname(path) not in folders:
                    continue
                if path not in found and len(found) < limit:
                    found[path] = []
                if path in found:
                    found[path].append(
                        Difference(path=text(path), change=Change(change), sealed=sealed, found=now)
                    )
                self._database.execute(
                    "UPDATE seen SET told = ? WHERE path = ? AND change = ?", (How.LIVE, path, change)
                )
            count = len({row[0] for row in rows if os.path.dirname(row[0]) in folders})
        return count, found

    def found(self, limit: int) -> Found:
        """Return what the scan that is gathered means, with at most `limit` differences."""
        count, known, fresh = self._row(_COUNTS)
        with self._lock:
            rows = self._database.execute(_FIRST, (limit,)).fetchall()
        first = tuple(
            Difference(path=text(path), change=Change(change), sealed=sealed, found=found)
            for path, change, sealed, found in rows
        )
        return Found(count=count, known=known, fresh=fresh, first=first)

    def keep(self, scope: Sequence[bytes], *, complete: bool) -> None:
        """Put what the scan has gathered on record: it was told. What it did not find any more in its scope goes."""
        with self._lock, self._database:
            if complete:
                self._database.executemany(_FORGET, map(_place, scope))
            self._database.execute(_KEEP)
            self._database.execute("DELETE FROM seen")
        self._any = self._one("SELECT count(*) FROM told") > 0

    def _how_above(self, path: bytes, change: str) -> str | None:
        above = os.path.dirname(path)
        while above not in {b"/", b""}:
            row = self._database.execute(
                "SELECT how FROM told WHERE path = ? AND change = ?", (above, change)
            ).fetchone()
            if row is not None:
                return str(row[0])
            above = os.path.dirname(above)
        return None

    def _one(self, statement: str, *values: object) -> int:
        return int(self._row(statement, *values)[0])

    def _row(self, statement: str, *values: object) -> tuple[int, ...]:
        with self._lock:
            row: tuple[int, ...] = self._database.execute(statement, values).fetchone()
        return row


def _open(path: Path) -> sqlite3.Connection:
    try:
        database = sqlite3.connect(path, check_same_thread=False)
    except sqlite3.OperationalError as error:
        raise SpoolError(f"cannot open {path}: {error}", hint=str(path)) from error
    path.chmod(0o600)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute("PRAGMA cache_size = -512")
    database.executescript(_SCHEMA)
    return database


def _place(top: bytes) -> tuple[bool, bytes, bytes, bytes]:
    below = top.rstrip(b"/")
    return top == b"/", top, below + b"/", below + b"0"
