"""Who may write: one token a host, of which the ledger keeps the SHA-256 alone."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from hostseal.ledger import store
from hostseal.ledger.database import Database
from hostseal.ledger.entry import Entry, Kind
from hostseal.ledger.schema import records, tokens

_SHELF_BYTES = 2
_REVOKED = "revoked"


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token as the ledger knows it: whose, since when (RFC 3339), and the beginning of its SHA-256 (hex)."""

    host: str
    added: str
    sha256: str


def add(database: Database, host: str, now: str) -> str:
    """Return a new token for `host`. It is kept nowhere; earlier ones go on working until they are revoked."""
    token = secrets.token_urlsafe(32)
    digest = _digest(token)
    with database.writing() as db:
        db.execute(tokens.insert(), {"sha256": digest, "host": host, "added": now})
        store.append_within(db, database.ledger_id, [_record("added", host, digest, now)], now)
    return token


def admit(database: Database, host: str, digest: bytes, now: str) -> bool:
    """Let `host` write with a token of its own making, of which only the SHA-256 is told; again is no error.

    Return whether it may: a token that was revoked stays so, however often its owner comes again.
    """
    ended = sa.select(records.c.position).where(
        records.c.kind == Kind.TOKEN,
        records.c.type == _REVOKED,
        records.c.host == host,
        records.c.id.startswith(f"{_REVOKED}:{_name(digest)}:"),
    )
    with database.writing() as db:
        if db.execute(ended).first() is not None:
            return False
        there = sa.select(tokens.c.host).where(tokens.c.sha256 == digest)
        if db.execute(there).first() is None:
            db.execute(tokens.insert(), {"sha256": digest, "host": host, "added": now})
            store.append_within(db, database.ledger_id, [_record("added", host, digest, now)], now)
    return True


def known(database: Database) -> list[Token]:
    """Return all tokens, by host and age."""
    with database.reading() as db:
        rows = db.execute(sa.select(tokens).order_by(tokens.c.host, tokens.c.added)).all()
    return [Token(host=row.host, added=row.added, sha256=row.sha256.hex()[:16]) for row in rows]


def revoke(database: Database, host: str, keep: Iterable[str], now: str) -> int:
    """End the host's tokens except those whose SHA-256 begins like one of `keep`; return how many ended."""
    kept = tuple(keep)
    with database.writing() as db:
        rows = db.execute(sa.select(tokens.c.sha256).where(tokens.c.host == host)).scalars().all()
        ended = [row for row in rows if not (kept and row.hex().startswith(kept))]
        db.execute(tokens.delete().where(tokens.c.sha256.in_(ended)))
        gone = [_record(_REVOKED, host, digest, now) for digest in ended]
        store.append_within(db, database.ledger_id, gone, now)
    return len(ended)


class Doorkeeper:
    """Tells whose token one is. It looks each time: what was added or revoked counts at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def host_of(self, token: str) -> str | None:
        """Return the host whose token it is, None when it is nobody's. Digests are compared in constant time."""
        digest = _digest(token)
        # The database is asked by a part of the digest, the rest is compared here.
        shelf = sa.func.substr(tokens.c.sha256, 1, _SHELF_BYTES) == digest[:_SHELF_BYTES]
        owner = None
        with self._database.reading() as db:
            for known_digest, host in db.execute(sa.select(tokens.c.sha256, tokens.c.host).where(shelf)):
                if hmac.compare_digest(known_digest, digest):
                    owner = host
        return owner


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _name(digest: bytes) -> str:
    return digest.hex()[:16]


def _record(what: str, host: str, digest: bytes, now: str) -> Entry:
    name = _name(digest)
    body = msgspec.json.encode({"host": host, "token": what, "sha256": name})
    return Entry(
        kind=Kind.TOKEN, type=what, host=host, id=f"{what}:{name}:{now}", writer="ledger", time=now, body=body
    )
