"""Which break-glass certificates have let somebody in on this host: each does so once."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from hostseal.core.event import timestamp
from hostseal.errors import SpoolError

LIMIT = 10_000
# A clock that was ahead for a while has not made anything forgotten that is still good.
KEPT_AFTER_END = timedelta(days=1)
_WAIT_SECONDS = 2.0


class UsedCertificates:
    """One SQLite file. An entry goes once its certificate has ended: sshd refuses that one by itself from then on."""

    def __init__(self, path: Path) -> None:
        """Open or make the file, mode 0600; SpoolError when it cannot be used."""
        self._path = path
        with self._open() as db:
            path.chmod(0o600)
            db.execute("PRAGMA journal_mode=WAL")
            db.execute(
                "CREATE TABLE IF NOT EXISTS used (ca TEXT, serial TEXT, until TEXT, PRIMARY KEY (ca, serial))"
            )

    def used(self, ca: str, serial: int) -> bool:
        """Tell whether the authority's (SHA256 fingerprint) certificate with this serial was used here. SpoolError."""
        with self._open() as db:
            found = db.execute("SELECT 1 FROM used WHERE ca = ? AND serial = ?", (ca, str(serial)))
            return found.fetchone() is not None

    def use(self, ca: str, serial: int, until: datetime, now: datetime) -> bool:
        """Use the certificate, which ends at `until`: True for the first who does so, for ever on disk; False after that.

        Of two that come at the same time one is first. SpoolError when it cannot be written down, which is also so when
        there is no room: what was used is not forgotten before its end.
        """
        with self._open() as db:
            db.execute("DELETE FROM used WHERE until <= ?", (timestamp(now - KEPT_AFTER_END),))
            # Each authority has room of its own: a user may bring certificates by an authority that he made himself.
            [(kept,)] = db.execute("SELECT count(*) FROM used WHERE ca = ?", (ca,)).fetchall()
            if kept >= LIMIT:
                raise SpoolError(f"{kept} certificates by {ca} were used here", hint=str(self._path))
            # As text: a serial does not fit SQLite's signed integers.
            row = (ca, str(serial), timestamp(until))
            return db.execute("INSERT OR IGNORE INTO used VALUES (?, ?, ?)", row).rowcount == 1

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, isolation_level=None, timeout=_WAIT_SECONDS)) as db:
                db.execute("PRAGMA synchronous=FULL")
                yield db
        except (sqlite3.Error, OSError) as error:
            raise SpoolError(
                f"the used certificates cannot be kept: {error}", hint=str(self._path)
            ) from error
