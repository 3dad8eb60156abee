"""What the ledger is handed, and what it gives back."""

from enum import StrEnum
from typing import Any

import msgspec

from hostseal.core.chain import Head


class Kind(StrEnum):
    """What a record is. Writers with the Python API may use kinds of their own beside these."""

    DECISION = "decision"
    EVENT = "event"
    FLAG = "flag"
    ACTION = "action"
    PARDON = "pardon"
    REPLACEMENT = "replacement"
    CONFLICT = "conflict"
    REFUSAL = "refusal"
    TOKEN = "token"  # noqa: S105 - a kind's name


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A record before it has its place: all that its writer says of it. `(kind, host, id)` names it.

    `time` is the writer's (RFC 3339), `body` the JSON as it came, byte for byte. `seq` is the host's own number
    of an event, 0 for anything else. `user`, `key`, `rules` (separated and surrounded by spaces) and `ref` (the id
    of what the record is about) are for searching.
    """

    kind: str
    host: str
    id: str
    writer: str
    time: str
    body: bytes
    type: str = ""
    seq: int = 0
    user: str = ""
    key: str = ""
    rules: str = ""
    ref: str = ""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch: new records, ones that were there already, and ones whose id had another content."""

    stored: int = 0
    known: int = 0
    conflicts: int = 0


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A stored record. `hash` is hex, `received` the ledger's time (RFC 3339), `body` parsed JSON."""

    position: int
    hash: str
    kind: str
    type: str
    host: str
    id: str
    writer: str
    time: str
    received: str
    seq: int
    user: str
    key: str
    rules: tuple[str, ...]
    ref: str
    body: Any


class OpenFlag(msgspec.Struct, frozen=True, kw_only=True):
    """A flag that nothing has taken back. `cause` is `policy`, or the ledger's own: `silent`, `rollback`, `gap`.

    `id` is the incident's; `raised` and `deadline` are RFC 3339, no deadline is None.
    """

    id: str
    host: str
    cause: str
    reasons: tuple[str, ...]
    raised: str
    deadline: str | None
    writer: str
    position: int


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a writer in this process: the outcome, and the head once it is on disk."""

    id: str
    outcome: Outcome
    head: Head
