"""Takes posts in, one at a time: what is answered is on disk."""

from collections.abc import Iterable, Iterator
from http import HTTPStatus

import msgspec

from hostseal.core.chain import Head
from hostseal.core.event import timestamp
from hostseal.errors import RefusedError
from hostseal.ledger import decision_log, reports, store
from hostseal.ledger.body import Limits, unpack
from hostseal.ledger.checkpoints import Signer
from hostseal.ledger.database import Database
from hostseal.ledger.entry import Entry, Kind, Outcome
from hostseal.ledger.watch import Watch
from hostseal.ports import Clock


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a writer is told: how many records are new, were there, differed, were refused; the head and the newest checkpoint.

    `heartbeat_seconds` is how often the ledger wants to hear of an agent.
    """

    ledger: str
    head: Head
    checkpoint: msgspec.Raw
    stored: int = 0
    known: int = 0
    conflicts: int = 0
    refused: int = 0
    heartbeat_seconds: float = 0.0


class Ingest:
    """The only way in from outside. Posts are to be handed over by one thread, one after the other."""

    def __init__(
        self, database: Database, watch: Watch, signer: Signer, clock: Clock, limits: Limits
    ) -> None:
        self._database, self._watch, self._signer, self._clock = database, watch, signer, clock
        self._limits = limits

    def decision_log(self, host: str, body: bytearray, encoding: str) -> Reply:
        """Keep what the host's OPA posted. RefusedError: nothing of it was kept."""
        found = decision_log.entries(unpack(body, encoding, self._limits), host)
        counted = _Refusals(found)
        outcome, head = store.append(self._database, counted, self._now())
        return self._reply(outcome, head, counted.refused)

    def reports(self, host: str, body: bytearray, encoding: str) -> Reply:
        """Keep what the host's agent posted. RefusedError (403): nothing but the refusal was kept."""
        post = reports.parse(unpack(body, encoding, self._limits))
        refusals = reports.refused(post, host, self._now())
        if refusals:
            store.append(self._database, refusals, self._now())
            raise RefusedError(
                HTTPStatus.FORBIDDEN,
                f"this token may only write about {host}; that something else was tried is on record",
            )
        found = reports.entries(post.records, host)
        raised = [*self._watch.heard(host, post.heartbeat), *self._watch.clashes(found)]
        if found or raised:
            outcome, head = store.append(self._database, [*found, *raised], self._now())
        else:
            outcome, head = Outcome(), store.head(self._database)
        return self._reply(outcome, head, 0)

    def head(self) -> Reply:
        """Return the head."""
        return self._reply(Outcome(), store.head(self._database), 0)

    def _reply(self, outcome: Outcome, head: Head, refused: int) -> Reply:
        return Reply(
            ledger=self._database.ledger_id,
            head=head,
            checkpoint=msgspec.Raw(self._signer.newest or b"null"),
            stored=outcome.stored,
            known=outcome.known,
            conflicts=outcome.conflicts,
            refused=refused,
            heartbeat_seconds=self._watch.settings.heartbeat_seconds,
        )

    def _now(self) -> str:
        return timestamp(self._clock.now())


class _Refusals:
    """Passes entries on and counts the refusals among them."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = entries
        self.refused = 0

    def __iter__(self) -> Iterator[Entry]:
        for entry in self._entries:
            self.refused += entry.kind == Kind.REFUSAL
            yield entry
