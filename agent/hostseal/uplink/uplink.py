"""Sends what the agent knows to the ledger: flags at once, the rest in its order, and a heartbeat."""

import threading
from pathlib import Path
from typing import Any

from hostseal import __version__
from hostseal.config.settings import LedgerSettings
from hostseal.core.backoff import delay
from hostseal.core.event import timestamp
from hostseal.errors import RefusedError, UplinkError
from hostseal.log import Log
from hostseal.ports import Clock
from hostseal.recorder import Recorder
from hostseal.standing_file import StandingFile
from hostseal.steps import Listener, Step
from hostseal.uplink.client import LedgerClient
from hostseal.uplink.outbox import MAX_RECORDS, Batch, Outbox
from hostseal.uplink.wire import Answer, Beat, Post
from hostseal.uplink.witness_file import Line, WitnessFile

_NEWS = frozenset({Step.STANDING, Step.ACKNOWLEDGED, Step.ACTION_DONE, Step.ACTION_FAILED})
_PACE_SECONDS = 1.0
_CAP_SECONDS = 10.0


class Waking:
    """A listener that also wakes the uplink; a flag does so at once."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self.news = threading.Event()
        self.urgent = threading.Event()

    def __call__(self, step: Step, **fields: object) -> None:
        """Take the news and pass it on."""
        if step is Step.STANDING:
            self.urgent.set()
        if step in _NEWS:
            self.news.set()
        self._listener(step, **fields)


class Uplink:
    """One supervised part of the agent. Its failures are seen in the status and cost nothing else."""

    def __init__(
        self,
        settings: LedgerSettings,
        state: Path,
        recorder: Recorder,
        flag: StandingFile,
        waking: Waking,
        clock: Clock,
        log: Log,
    ) -> None:
        self._settings, self._state, self._recorder, self._flag = settings, state, recorder, flag
        self._waking, self._clock, self._log = waking, clock, log
        self._client = LedgerClient(settings)
        self._every = settings.heartbeat_seconds
        self._next_beat = self._retry = float("-inf")
        self._failures = 0
        self._limit = MAX_RECORDS
        self._contact: str | None = None
        self._head: int | None = None
        self._cursor: int | None = None
        self._failing: str | None = None
        self._lost: str | None = None

    def run(self, stop: threading.Event) -> None:
        """Send until `stop` is set; SpoolError and OSError when the spool or the witness file cannot be used."""
        witness = WitnessFile(self._state / "witness.jsonl")
        try:
            with Outbox(self._state / "spool.db", self._recorder.host.name) as outbox:
                self._cursor = outbox.cursor()
                while not stop.is_set():
                    wait = self._round(outbox, witness)
                    self._waking.news.wait(wait)
                    self._waking.news.clear()
                    self._waking.urgent.wait(min(wait, _PACE_SECONDS))
        finally:
            self._client.close()

    def wake(self) -> None:
        """Let :meth:`run` look again."""
        self._waking.urgent.set()
        self._waking.news.set()

    def status(self) -> dict[str, Any]:
        """Return what `hostseal status` shows."""
        return {
            "url": self._settings.url,
            "contact": self._contact,
            "sent_seq": self._cursor,
            "head": self._head,
            "trouble": self.trouble,
        }

    @property
    def trouble(self) -> str | None:
        """What a person should know, None when all is well."""
        return self._failing or self._lost

    def _round(self, outbox: Outbox, witness: WitnessFile) -> float:
        """Send one batch if there is one and it is time; return the seconds to wait."""
        self._waking.urgent.clear()
        now = self._clock.monotonic()
        if now < self._retry:
            return self._retry - now
        batch = outbox.next(self._flag.now.incident, self._limit)
        if not batch.parcels and now < self._next_beat:
            return self._next_beat - now
        try:
            answer = self._send(outbox, batch)
        except (RefusedError, UplinkError) as error:
            self._failures += 1
            # What is in front of a record that the ledger does not take is not to wait with it.
            self._limit = 1 if isinstance(error, RefusedError) else self._limit
            # Never longer than a heartbeat: a ledger that is back must not find this host silent.
            wait = delay(self._failures, cap=min(_CAP_SECONDS, self._every))
            self._retry = now + wait
            self._fails(str(error))
            return wait
        outbox.sent(batch)
        self._limit = min(MAX_RECORDS, 2 * self._limit)
        self._heard(answer, outbox, witness)
        return 0.0 if outbox.next(self._flag.now.incident).parcels else max(0.0, self._next_beat - now)

    def _send(self, outbox: Outbox, batch: Batch) -> Answer:
        host, standing = self._recorder.host, str(self._flag.now.state)
        last, done, pending = outbox.numbers()
        beat = Beat(
            last_seq=last, done_seq=done, pending=pending, boot_id=host.boot_id, standing=standing,
            version=__version__,
        )  # fmt: skip
        try:
            return self._client.post(Post(host=host.name, heartbeat=beat, records=batch.parcels))
        except RefusedError:
            # A record it does not take holds up those behind it, but not the news that this host is alive.
            if batch.parcels:
                self._client.post(Post(host=host.name, heartbeat=beat))
            raise

    def _heard(self, answer: Answer, outbox: Outbox, witness: WitnessFile) -> None:
        now = timestamp(self._clock.now())
        last = witness.last
        if last is not None and (answer.ledger != last.ledger or answer.head.count < last.head.count):
            self._lost = (
                f"the ledger is another one than before: {answer.ledger}, not {last.ledger}"
                if answer.ledger != last.ledger
                else f"the ledger has lost records: it has {answer.head.count}, it had {last.head.count}"
            )
            self._log("ledger.lost", level="error", error=self._lost)
            outbox.forget()
        witness.told(Line(time=now, ledger=answer.ledger, head=answer.head, checkpoint=answer.checkpoint))
        if self._failing:
            self._log("ledger.reached", records=answer.head.count)
        self._failing, self._failures, self._retry = None, 0, float("-inf")
        self._contact, self._head, self._cursor = now, answer.head.count, outbox.cursor()
        wanted = answer.heartbeat_seconds
        self._every = min(self._settings.heartbeat_seconds, wanted) if wanted > 0 else self._every
        self._next_beat = self._clock.monotonic() + self._every

    def _fails(self, error: str) -> None:
        if self._failing is None:
            self._log("ledger.unreached", level="warning", error=error)
        self._failing = error
