"""What goes to the ledger and what it answers (docs/reference/ledger.md)."""

from typing import Any

import msgspec

from hostseal.core.chain import Head


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """A heartbeat: the highest seq in the spool, the highest acknowledged one, and how many events wait."""

    last_seq: int
    done_seq: int
    pending: int
    boot_id: str
    standing: str
    version: str


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """One record to send. The same thing has the same bytes each time it is sent, so that a repeat is seen to be one."""

    kind: str
    id: str
    host: str
    time: str
    body: msgspec.Raw


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """One post."""

    host: str
    heartbeat: Beat
    records: tuple[Parcel, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger answers once all of a post is on its disk."""

    ledger: str
    head: Head
    checkpoint: Any
    heartbeat_seconds: float
