"""The ledger's tables (SQLAlchemy Core, so that another database can hold them)."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)

VERSION = 1
metadata = MetaData()

# SQLite counts a 64-bit key only where the type is called INTEGER.
_BIG = BigInteger().with_variant(Integer(), "sqlite")


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


# One row a record, never changed. All columns but `version` and `hash` are under the hash; `version` says how.
records = Table(
    "records",
    metadata,
    Column("position", _BIG, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("seq", _BIG, nullable=False, server_default="0"),
    *map(_text, ("kind", "type", "host", "id", "writer", "time", "received", "user", "key", "rules", "ref")),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("id", "kind", "host"),
    Index("records_host", "host", "kind", "seq"),
    Index("records_time", "time"),
    Index("records_user", "user", sqlite_where=text("user != ''")),
    Index("records_key", "key", sqlite_where=text("key != ''")),
    Index("records_ref", "ref", sqlite_where=text("ref != ''")),
    sqlite_strict=True,
)

# Signed heads, oldest first; `body` is the checkpoint's JSON.
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("count", _BIG, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_strict=True,
)

# Who may write: the token's SHA-256, never the token.
tokens = Table(
    "tokens",
    metadata,
    Column("sha256", LargeBinary, primary_key=True),
    _text("host"),
    _text("added"),
    sqlite_strict=True,
)
Index("tokens_shelf", func.substr(tokens.c.sha256, 1, 2))

# When each host was last heard and how far it was; not under the chain, because it changes with every heartbeat.
hosts = Table(
    "hosts",
    metadata,
    Column("host", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    sqlite_strict=True,
)

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    _text("value"),
    sqlite_strict=True,
)
