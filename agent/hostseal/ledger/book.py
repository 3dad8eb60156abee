"""The ledger for programs on its own machine: the fleet's controller, `explain`, the command line."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from hostseal.core import pardon
from hostseal.core.chain import Head
from hostseal.core.event import timestamp
from hostseal.errors import PardonError
from hostseal.keys import public_key
from hostseal.ledger import database, flags, gaps, search, store, tokens
from hostseal.ledger.entry import Entry, Kind, OpenFlag, Receipt, Record
from hostseal.ledger.flags import RETIRED
from hostseal.ledger.search import Query
from hostseal.ports import Clock

FILE = "ledger.db"
KEYS = "keys"
PARDON_KEY = "pardon.pub"


class Ledger:
    """An open ledger. Safe beside the running service: the database has one writer at a time, and each waits its turn."""

    def __init__(self, data: Path, clock: Clock) -> None:
        """Open the ledger in a data directory; LedgerError when there is none or it cannot be used."""
        self._clock, self._data = clock, data
        self.database = database.Database(data / FILE)

    @classmethod
    def make(cls, data: Path, clock: Clock) -> Self:
        """Open the ledger in a data directory, made when there is none."""
        database.make(data / FILE)
        return cls(data, clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close it."""
        self.database.close()

    def append(
        self,
        kind: str,
        host: str,
        body: Mapping[str, Any],
        *,
        id: str = "",  # noqa: A002 - as the record calls it
        type: str = "",  # noqa: A002 - as the record calls it
        ref: str = "",
        writer: str = "fleet",
    ) -> Receipt:
        """Append one record; it is on disk when this returns. LedgerError when that fails.

        `id` names it: appending the same once more changes nothing, and without one each call is a new record.
        A `replacement` of type `retired` ends the host's flags; a `pardon` ends the flag that `ref` names.
        """
        now = timestamp(self._clock.now())
        name = id or str(uuid.uuid4())
        entry = Entry(
            kind=kind, type=type, host=host, id=name, writer=writer, time=now, ref=ref,
            body=msgspec.json.encode(body),
        )  # fmt: skip
        outcome, head = store.append(self.database, [entry], now)
        return Receipt(id=name, outcome=outcome, head=head)

    def retire(self, host: str, body: Mapping[str, Any], *, id: str) -> Receipt:  # noqa: A002
        """Record that a host is gone: its flags end, its tokens too, and nobody waits for its heartbeat any more."""
        receipt = self.append("replacement", host, body, id=id, type=RETIRED)
        self.revoke_tokens(host)
        return receipt

    def records(self, query: Query = Query(), *, limit: int | None = None) -> Iterator[Record]:  # noqa: B008
        """Yield matching records in the chain's order, a few hundred at a time."""
        return search.records(self.database, query, limit)

    def newest(self, query: Query, limit: int) -> list[Record]:
        """Return the last matching records, in the chain's order."""
        return search.newest(self.database, query, limit)

    def open_flags(self) -> list[OpenFlag]:
        """Return the flags that stand, oldest first. Hosts' own pardons count where there is a PARDON_KEY; KeyFileError."""
        path = self._data / PARDON_KEY
        return flags.open_flags(self.database, public_key(path) if path.exists() else None)

    def pardon(self, raw: Any) -> Receipt:
        """Record a signed pardon (parsed JSON) that no host has to apply: it ends the flag that it names.

        Raises PardonError when it does not hold or no flag of that host has that id, KeyFileError without a PARDON_KEY.
        """
        claim = pardon.signed(raw, public_key(self._data / PARDON_KEY), self._clock.now())
        if not any((flag.host, flag.id) == (claim.host, claim.incident) for flag in self.open_flags()):
            raise PardonError(f"no flag of {claim.host} is {claim.incident}", hint="hostseal ledger flags")
        return self.append(
            Kind.PARDON,
            claim.host,
            msgspec.to_builtins(claim),
            id=claim.nonce,
            ref=claim.incident,
            writer=claim.person,
        )

    def gaps(self, grace_seconds: float) -> list[gaps.Gap]:
        """Return what should be here and is not."""
        return gaps.find(self.database, self._clock.now(), grace_seconds)

    def head(self) -> Head:
        """Return the chain's head."""
        return store.head(self.database)

    def add_token(self, host: str) -> str:
        """Return a new token for a host."""
        return tokens.add(self.database, host, timestamp(self._clock.now()))

    def tokens(self) -> list[tokens.Token]:
        """Return all tokens, by host and age; of each only the beginning of its SHA-256."""
        return tokens.known(self.database)

    def revoke_tokens(self, host: str, keep: Iterable[str] = ()) -> int:
        """End a host's tokens, except those whose SHA-256 begins like one of `keep`; return how many ended."""
        return tokens.revoke(self.database, host, keep, timestamp(self._clock.now()))
