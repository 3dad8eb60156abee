"""Reads the spool beside the running agent, or without one: read-only, never in its way."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hostseal.errors import SpoolError


class SpoolReader:
    """A read-only view of the spool's file."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise SpoolError(f"there is no spool at {path}", hint="has the agent run here? are you root?")
        try:
            self._db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5, isolation_level=None)
            self._db.row_factory = sqlite3.Row
            self._db.execute("SELECT 1 FROM events LIMIT 1")
        except sqlite3.Error as error:
            raise SpoolError(f"cannot read the spool: {error}", hint=str(path)) from error

    def events(self, after: int = 0) -> Iterator[dict[str, Any]]:
        """Yield each event above that seq with its decision, oldest first."""
        for row in self._db.execute("SELECT * FROM events WHERE seq > ? ORDER BY seq", (after,)):
            decision = json.loads(row["decision"]) if row["decision"] else None
            yield {
                "event": json.loads(row["body"]),
                "state": row["state"],
                "attempts": row["attempts"],
                "error": row["error"],
                "decision_id": row["decision_id"],
                "decision": decision,
                "decided": row["decided"],
                "done": row["done"],
            }

    def actions(self) -> list[dict[str, Any]]:
        """Return every playbook's run, oldest first."""
        return [dict(row) for row in self._db.execute("SELECT * FROM actions ORDER BY created")]

    def pending(self) -> int:
        """Return how many events are not done."""
        return int(self._db.execute("SELECT count(*) FROM events WHERE state != 'done'").fetchone()[0])

    def last_seq(self, back: int) -> int:
        """Return the seq after which the last `back` events come."""
        return max(0, int(self._db.execute("SELECT ifnull(max(seq), 0) FROM events").fetchone()[0]) - back)
