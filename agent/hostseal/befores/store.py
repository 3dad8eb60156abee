"""What text files were before they change: a private store, by content, compressed, bounded, the least used out first.

It is a cache: losing it loses diffs of the first change after that, nothing else. So it is never waited for (no fsync),
and whatever is wrong with it is thrown away, counted and said.
"""

import contextlib
import hashlib
import os
import sqlite3
import threading
import zlib
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TypeVar

import msgspec

_T = TypeVar("_T")
NAME = "befores.db"
_ENTRY_BYTES = 256
"""What one path takes beside its content: its row, its index entry."""
_LEVEL = 6
_SCHEMA = """
CREATE TABLE IF NOT EXISTS contents (digest BLOB PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS paths (
    path BLOB PRIMARY KEY, digest BLOB, stamp BLOB NOT NULL, used INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS paths_used ON paths (used) WHERE digest IS NOT NULL;
CREATE INDEX IF NOT EXISTS paths_digest ON paths (digest) WHERE digest IS NOT NULL;
"""
_VERSION = 1


class Missing(Enum):
    """Why there is no before."""

    UNSEEN = "unseen"
    """The store never held this path."""
    UNKEPT = "unkept"
    """There was a file, of which nothing is kept: too large, no text, thrown out, damaged."""


class Held(msgspec.Struct, frozen=True):
    """What the store holds: how many paths, of how many contents, how many bytes; what it lost and why."""

    paths: int
    contents: int
    bytes: int
    thrown_out: int
    damaged: int
    note: str | None


class BeforeStore:
    """One SQLite file in a directory that is root's alone. Safe for threads; its errors are notes, not exceptions."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        """Open or make it. A file that is none of ours, or damaged, is removed. OSError when there can be none."""
        self._folder, self._limit = folder, limit_bytes
        self._lock = threading.Lock()
        self._thrown_out = self._damaged = self._bytes = self._clock = 0
        self._note: str | None = None
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
        try:
            self._db = self._open()
        except sqlite3.Error as error:
            self._note = f"{folder / NAME} was damaged and is made anew: {error}"
            self._damaged += 1
            self._remove()
            self._db = self._open()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @property
    def note(self) -> str | None:
        """What was last wrong with the store, None while nothing was."""
        return self._note

    def before(self, path: bytes) -> bytes | Missing:
        """Return a path's content as it was last kept, and count that as use."""
        unkept: bytes | Missing = Missing.UNKEPT
        return self._do(lambda: self._before(path), unkept)

    def stamp(self, path: bytes) -> bytes | None:
        """Return what the file's `stat` was when it was kept, as given to :meth:`keep`; None when it is not known."""
        return self._do(lambda: self._stamp(path), None)

    def keep(self, path: bytes, content: bytes | None, stamp: bytes) -> None:
        """Keep what is at a path now; None notes only that there is something that cannot be kept."""
        self._do(lambda: self._keep(path, content, stamp), None)

    def forget(self, path: bytes) -> None:
        """Forget a path and everything below it: it is no longer there."""
        self._do(lambda: self._forget_tree(path), None)

    def paths(self) -> list[bytes]:
        """Return all paths that the store knows of."""
        return self._do(lambda: [bytes(row[0]) for row in self._db.execute("SELECT path FROM paths")], [])

    def held(self) -> Held:
        """Return how full the store is, for `hostseal status`."""
        paths = self._do(lambda: self._count("SELECT count(*) FROM paths"), 0)
        contents = self._do(lambda: self._count("SELECT count(*) FROM contents"), 0)
        return Held(paths, contents, self._bytes, self._thrown_out, self._damaged, self._note)

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._folder / NAME, check_same_thread=False, isolation_level=None, timeout=2)
        try:
            (self._folder / NAME).chmod(0o600)
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            db.execute("PRAGMA cache_size=-1024")
            db.execute("PRAGMA journal_size_limit=1048576")
            db.execute("PRAGMA auto_vacuum=INCREMENTAL")
            db.execute("PRAGMA secure_delete=ON")
            if db.execute("PRAGMA user_version").fetchone()[0] not in {0, _VERSION}:
                raise sqlite3.DatabaseError("another version")
            if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("its check fails")
            db.executescript(_SCHEMA)
            db.execute(f"PRAGMA user_version={_VERSION}")
            db.execute(
                "DELETE FROM contents WHERE digest NOT IN (SELECT digest FROM paths WHERE digest IS NOT NULL)"
            )
            self._bytes = db.execute(
                "SELECT (SELECT ifnull(sum(length(body)), 0) FROM contents)"
                " + (SELECT ifnull(sum(length(path) + ?), 0) FROM paths)",
                (_ENTRY_BYTES,),
            ).fetchone()[0]
            self._clock = db.execute("SELECT ifnull(max(used), 0) FROM paths").fetchone()[0]
        except sqlite3.Error:
            db.close()
            raise
        return db

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._folder / f"{NAME}{suffix}")

    def _do(self, work: Callable[[], _T], otherwise: _T) -> _T:
        """Do one transaction; a store that fails is noted, and its caller goes on without."""
        with self._lock:
            before = self._bytes
            try:
                self._db.execute("BEGIN")
                done = work()
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                self._note, self._bytes = f"the store of befores failed: {error}", before
                self._damaged += 1
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                return otherwise
            return done

    def _before(self, path: bytes) -> bytes | Missing:
        row = self._db.execute(
            "SELECT paths.digest, body FROM paths LEFT JOIN contents USING (digest) WHERE path = ?", (path,)
        ).fetchone()
        if row is None:
            return Missing.UNSEEN
        digest, body = row
        if digest is None:
            return Missing.UNKEPT
        content = _unpacked(body, digest)
        if content is None:
            self._damaged += 1
            self._note = "a damaged entry was thrown away"
            self._db.execute("UPDATE paths SET digest = NULL WHERE digest = ?", (digest,))
            self._drop_unused(digest)
            return Missing.UNKEPT
        self._db.execute("UPDATE paths SET used = ? WHERE path = ?", (self._tick(), path))
        return content

    def _stamp(self, path: bytes) -> bytes | None:
        row = self._db.execute("SELECT stamp FROM paths WHERE path = ?", (path,)).fetchone()
        return None if row is None else bytes(row[0])

    def _keep(self, path: bytes, content: bytes | None, stamp: bytes) -> None:
        old = self._db.execute("SELECT digest FROM paths WHERE path = ?", (path,)).fetchone()
        digest = None if content is None else hashlib.sha256(content).digest()
        if content is not None and not self._count("SELECT count(*) FROM contents WHERE digest = ?", digest):
            body = zlib.compress(content, _LEVEL)
            self._db.execute("INSERT INTO contents VALUES (?, ?)", (digest, body))
            self._bytes += len(body)
        self._db.execute(
            "INSERT OR REPLACE INTO paths VALUES (?, ?, ?, ?)", (path, digest, stamp, self._tick())
        )
        if old is None:
            self._bytes += _ENTRY_BYTES + len(path)
        elif old[0] is not None and old[0] != digest:
            self._drop_unused(old[0])
        self._shrink()

    def _forget_tree(self, path: bytes) -> None:
        gone = self._db.execute(
            "SELECT path, digest FROM paths WHERE path = ? OR (path > ? AND path < ?)",
            (path, path + b"/", path + b"0"),
        ).fetchall()
        for name, digest in gone:
            self._db.execute("DELETE FROM paths WHERE path = ?", (name,))
            self._bytes -= _ENTRY_BYTES + len(name)
            if digest is not None:
                self._drop_unused(digest)

    def _count(self, sql: str, *values: object) -> int:
        return int(self._db.execute(sql, values).fetchone()[0])

    def _tick(self) -> int:
        self._clock += 1
        return self._clock

    def _shrink(self) -> None:
        while self._bytes > self._limit:
            row = self._db.execute(
                "SELECT path, digest FROM paths WHERE digest IS NOT NULL ORDER BY used LIMIT 1"
            ).fetchone()
            if row is None:
                # Only names are left, and those too many: forget them all, oldest or not.
                self._db.execute("DELETE FROM paths")
                self._bytes = 0
                return
            self._thrown_out += 1
            self._db.execute("UPDATE paths SET digest = NULL WHERE path = ?", (row[0],))
            self._drop_unused(row[1])

    def _drop_unused(self, digest: bytes) -> None:
        if self._db.execute("SELECT 1 FROM paths WHERE digest = ? LIMIT 1", (digest,)).fetchone() is None:
            size = self._db.execute(
                "SELECT length(body) FROM contents WHERE digest = ?", (digest,)
            ).fetchone()
            self._db.execute("DELETE FROM contents WHERE digest = ?", (digest,))
            self._bytes -= size[0] if size else 0


def _unpacked(body: bytes | None, digest: bytes) -> bytes | None:
    try:
        content = zlib.decompress(body) if body is not None else None
    except zlib.error:
        return None
    return content if content is not None and hashlib.sha256(content).digest() == digest else None
