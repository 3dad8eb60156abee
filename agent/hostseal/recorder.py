"""Turns observations into events on disk: the one way into the spool."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from hostseal.core.event import Event, EventType, Host, Profile, timestamp
from hostseal.core.ids import event_id
from hostseal.errors import SpoolFullError
from hostseal.ports import Clock
from hostseal.spool.sqlite import SqliteSpool
from hostseal.steps import Listener, Step

_PROFILE = "profile"
_RETRY_SECONDS = 1.0


class Recorder:
    """Implements the Emit port over the spool; bulk events wait for room, session events never do."""

    def __init__(
        self, spool: SqliteSpool, host: Host, clock: Clock, listener: Listener, *, pending_limit: int
    ) -> None:
        self._spool, self._clock, self._listener, self._limit = spool, clock, listener, pending_limit
        self._room = threading.Condition()
        self._stopping = False
        self.wake = threading.Event()
        self.full: str | None = None
        self.told: Callable[[Event], None] | None = None
        stored = spool.recall(_PROFILE)
        self._profile = msgspec.json.decode(stored, type=Profile) if stored else None
        self.host = _with(host, self._profile) if self._profile else host

    @property
    def automation(self) -> tuple[str, ...]:
        """The accounts that are no person's, as the policy last said."""
        return self._profile.automation if self._profile else ()

    def __call__(self, event_type: str, data: Mapping[str, Any], *, sensor: str, key: str) -> str:
        """Return the id of the event, which is on disk. Bulk events wait here while the spool is full."""
        kind = EventType(event_type)
        identity = event_id(self.host.machine_id, self.host.boot_id, sensor, key)
        now = timestamp(self._clock.now())

        def make(seq: int) -> Event:
            return Event(id=identity, type=kind, time=now, seq=seq, host=self.host, data=dict(data))

        event = self._put(make, kind)
        self.full = None
        self._listener(Step.OBSERVED, type=str(kind), id=identity, seq=event.seq)
        self.wake.set()
        if self.told is not None:
            self.told(event)
        return identity

    def _put(self, make: Any, kind: EventType) -> Event:
        while True:
            try:
                if not kind.is_bulk or self._spool.pending() < self._limit:
                    return self._spool.put(make)
                self.full = f"{self._limit} events wait for a decision: is OPA answering?"
            except SpoolFullError as error:
                self.full = str(error)
                if not kind.is_bulk:
                    raise
            if self._stopping:
                raise SpoolFullError(self.full)
            with self._room:
                self._room.wait(_RETRY_SECONDS)

    def room(self) -> None:
        """Tell waiting sensors that an event has left."""
        if self.full:
            with self._room:
                self._room.notify_all()

    def learn(self, profile: Profile | None) -> None:
        """Keep what the policy knows of this host, for the events to come and for the time without an answer."""
        if profile is not None and profile != self._profile:
            self._spool.remember(_PROFILE, msgspec.json.encode(profile))
            self._profile = profile
            self.host = _with(self.host, profile)

    def stop(self) -> None:
        """Let nobody wait any longer."""
        self._stopping = True
        self.wake.set()
        with self._room:
            self._room.notify_all()


def _with(host: Host, profile: Profile) -> Host:
    return msgspec.structs.replace(
        host, mode=profile.mode, host_class=profile.host_class, groups=profile.groups
    )
