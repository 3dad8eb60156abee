"""The spool in SQLite: what was observed is on disk before anything acts on it (laws 1, 2)."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from hostseal.core.decision import Decision
from hostseal.core.event import Event, EventType
from hostseal.errors import SpoolError, SpoolFullError
from hostseal.spool.records import ActionTask, Task, TaskState
from hostseal.spool.schema import SCHEMA, VERSION

_TASK = "SELECT body, state, attempts, next_try, error, decision_id, decision, decided, done FROM events"
_COLUMNS = (
    "id",
    "action",
    "incident",
    "event",
    "created",
    "state",
    "attempts",
    "next_try",
    "error",
    "finished",
)
_ACTION = "SELECT " + ", ".join(_COLUMNS) + " FROM actions"  # noqa: S608 - the columns are ours
_PRUNE_EVERY = 1000


class SqliteSpool:
    """One file, one writer, WAL and `synchronous=FULL`: a call that returns has its change on disk."""

    def __init__(
        self, path: Path, *, kept: int = 100_000, reserve_bytes: int = 1 << 20, first_seq: int = 1
    ) -> None:
        """Open or make the spool; raise SpoolError if the file is not one or cannot be opened."""
        self._path = path
        self._kept = kept
        self._first_seq = first_seq
        self._lock = threading.RLock()
        self._reserve = path.with_suffix(".reserve")
        self._reserve_bytes = reserve_bytes
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=5)
            path.chmod(0o600)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute("PRAGMA journal_size_limit=4194304")
            self._db.executescript(SCHEMA)
            found = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise SpoolError(f"{path} is damaged: {found}")
            self._db.execute(f"PRAGMA user_version={VERSION}")
        except (sqlite3.Error, OSError) as error:
            raise _spool_error(path, error) from error
        self._keep_reserve()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def put(self, make: Callable[[int], Event]) -> Event:
        """Store the event `make` returns for the next seq; an id already known returns the stored event.

        A bulk event that finds no room raises SpoolFullError and changes nothing. A session event then spends the
        reserve, and raises only when that is gone too.
        """
        with self._lock:
            try:
                return self._put(make)
            except SpoolFullError:
                if make(0).type.is_bulk or not self._reserve.exists():
                    raise
                self._reserve.unlink()
                return self._put(make)

    def _put(self, make: Callable[[int], Event]) -> Event:
        with self._transaction() as db:
            seq = db.execute(
                "SELECT max(?, ifnull(max(seq), 0) + 1) FROM events", (self._first_seq,)
            ).fetchone()[0]
            event = make(seq)
            known = db.execute("SELECT body FROM events WHERE id = ?", (event.id,)).fetchone()
            if known:
                return msgspec.json.decode(known[0], type=Event)
            db.execute(
                "INSERT INTO events (seq, id, type, time, body) VALUES (?, ?, ?, ?, ?)",
                (seq, event.id, str(event.type), event.time, msgspec.json.encode(event)),
            )
        if seq % _PRUNE_EVERY == 0:
            self._prune()
        return event

    def head(self) -> Task | None:
        """Return the oldest event that is not done: events are decided in their order."""
        row = self._one(_TASK + " WHERE state != 'done' ORDER BY seq LIMIT 1")
        return None if row is None else _task(row)

    def task(self, event_id: str) -> Task | None:
        """Return what is known of one event."""
        row = self._one(_TASK + " WHERE id = ?", event_id)
        return None if row is None else _task(row)

    def of_boot(self, boot_id: str, kind: EventType) -> list[Event]:
        """Return that boot's events of one type, oldest first, as far as the last 1,000 such events tell."""
        with self._lock:
            try:
                rows = self._db.execute(
                    "SELECT body FROM events WHERE type = ? ORDER BY seq DESC LIMIT 1000", (str(kind),)
                ).fetchall()
            except sqlite3.Error as error:
                raise _spool_error(self._path, error) from error
        events = [msgspec.json.decode(row[0], type=Event) for row in reversed(rows)]
        return [event for event in events if event.host.boot_id == boot_id]

    def pending(self, kind: EventType | None = None) -> int:
        """Return how many events, of one type or of any, are not done."""
        if kind is None:
            return self._count("SELECT count(*) FROM events WHERE state != 'done'")
        row = self._one("SELECT count(*) FROM events WHERE state != 'done' AND type = ?", str(kind))
        return 0 if row is None else int(row[0])

    def dead(self) -> int:
        """Return how many playbook runs were given up."""
        return self._count("SELECT count(*) FROM actions WHERE state = 'dead'")

    def last_seq(self) -> int:
        """Return the highest seq in use, 0 when there is none."""
        return self._count("SELECT ifnull(max(seq), 0) FROM events")

    def failed(self, event_id: str, error: str, next_try: float) -> None:
        """Note that there was no answer for an event; it stays where it is in the order."""
        self._do(
            "UPDATE events SET attempts = attempts + 1, error = ?, next_try = ? WHERE id = ?",
            error,
            next_try,
            event_id,
        )

    def decided(self, event_id: str, decision_id: str, decision: Decision, when: str) -> None:
        """Store the decision on a pending event."""
        self._do(
            "UPDATE events SET state = 'decided', decision_id = ?, decision = ?, decided = ?, error = NULL"
            " WHERE id = ? AND state = 'pending'",
            decision_id, msgspec.json.encode(decision), when, event_id,
        )  # fmt: skip

    def concluded(self, event_id: str, decision_id: str, decision: Decision, when: str) -> None:
        """Store a decision that asks for nothing, and acknowledge the event with it."""
        self._do(
            "UPDATE events SET state = 'done', decision_id = ?, decision = ?, decided = ?, done = ?, error = NULL"
            " WHERE id = ? AND state = 'pending'",
            decision_id, msgspec.json.encode(decision), when, when, event_id,
        )  # fmt: skip

    def done(self, event_id: str, when: str) -> None:
        """Acknowledge an event: its outcome is on disk."""
        self._do("UPDATE events SET state = 'done', done = ? WHERE id = ?", when, event_id)

    def queue_action(self, task: ActionTask) -> None:
        """Queue a playbook's run; one already known stays as it is."""
        self._do(
            "INSERT OR IGNORE INTO actions (id, action, incident, event, created) VALUES (?, ?, ?, ?, ?)",
            task.id, task.action, task.incident, task.event, task.created,
        )  # fmt: skip

    def next_action(self) -> ActionTask | None:
        """Return the action that is running, or else the unfinished one that is due first."""
        row = self._one(
            _ACTION
            + " WHERE state IN ('queued', 'running') ORDER BY state = 'running' DESC, next_try, created LIMIT 1"
        )
        return None if row is None else _action(row)

    def action(self, action_id: str) -> ActionTask | None:
        """Return one action."""
        row = self._one(_ACTION + " WHERE id = ?", action_id)
        return None if row is None else _action(row)

    def unfinished_actions(self, incident: str, action: str) -> int:
        """Return how many runs of an action for an incident are queued or running."""
        row = self._one(
            "SELECT count(*) FROM actions WHERE incident = ? AND action = ? AND state IN ('queued', 'running')",
            incident, action,
        )  # fmt: skip
        return 0 if row is None else int(row[0])

    def action_state(self, task: ActionTask) -> None:
        """Store how far an action has come."""
        self._do(
            "UPDATE actions SET state = ?, attempts = ?, next_try = ?, error = ?, finished = ? WHERE id = ?",
            str(task.state), task.attempts, task.next_try, task.error, task.finished, task.id,
        )  # fmt: skip

    def remember(self, key: str, value: bytes) -> None:
        """Store a small value under a name."""
        self._do(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            key,
            value,
        )

    def recall(self, key: str) -> bytes | None:
        """Return a stored value."""
        row = self._one("SELECT value FROM meta WHERE key = ?", key)
        return None if row is None else bytes(row[0])

    def _prune(self) -> None:
        with self._transaction() as db:
            db.execute(
                "DELETE FROM events WHERE state = 'done' AND seq <= (SELECT max(seq) FROM events) - ?",
                (self._kept,),
            )
        self._keep_reserve()

    def _keep_reserve(self) -> None:
        if self._reserve.exists() and self._reserve.stat().st_size == self._reserve_bytes:
            return
        try:
            self._reserve.write_bytes(b"\0" * self._reserve_bytes)
        except OSError:
            self._reserve.unlink(missing_ok=True)

    def _one(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        with self._lock:
            try:
                row: tuple[Any, ...] | None = self._db.execute(statement, values).fetchone()
            except sqlite3.Error as error:
                raise _spool_error(self._path, error) from error
            return row

    def _count(self, statement: str) -> int:
        row = self._one(statement)
        return 0 if row is None else int(row[0])

    def _do(self, statement: str, *values: object) -> None:
        with self._transaction() as db:
            db.execute(statement, values)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise _spool_error(self._path, error) from error
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


def _spool_error(path: Path, error: Exception) -> SpoolError:
    full = getattr(error, "sqlite_errorname", "") in {"SQLITE_FULL", "SQLITE_IOERR_WRITE"}
    kind = SpoolFullError if full else SpoolError
    return kind(
        f"cannot use the spool {path}: {error}", hint="free space on its file system" if full else str(path)
    )


def _task(row: tuple[Any, ...]) -> Task:
    body, state, attempts, next_try, error, decision_id, decision, decided, done = row
    return Task(
        event=msgspec.json.decode(body, type=Event),
        state=TaskState(state),
        attempts=attempts,
        next_try=next_try,
        error=error,
        decision_id=decision_id,
        decision=None if decision is None else msgspec.json.decode(decision, type=Decision),
        decided=decided,
        done=done,
    )


def _action(row: tuple[Any, ...]) -> ActionTask:
    return msgspec.convert(dict(zip(_COLUMNS, row, strict=True)), ActionTask)
