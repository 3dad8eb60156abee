"""The seams of the agent: what the composition in :mod:`hostseal.daemon` needs, and nothing about how."""

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from hostseal.core.seal import Entry, Personal


class Clock(Protocol):
    """Tells the time. The only source of it; `core/` is handed values."""

    def now(self) -> datetime:
        """Return the wall clock's time, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""


class Emit(Protocol):
    """Puts one observation into the spool.

    Returns when it is on disk. Blocks while the spool is full (back-pressure), raises
    :class:`hostseal.errors.SpoolError` when it cannot be written at all.
    """

    def __call__(self, event_type: str, data: Mapping[str, Any], *, sensor: str, key: str) -> str:
        """Return the event's id; `key` is the sensor's own name for the observation, unique per boot."""


class RawChange(msgspec.Struct, frozen=True, kw_only=True):
    """One notification about one path, as a backend saw it. `other` is the other name, of a rename that has both."""

    path: bytes
    what: str
    other: bytes | None = None
    pid: int | None = None
    at: float = 0.0


class FileSensor(Protocol):
    """A backend that watches trees and hands on raw changes and losses."""

    name: str

    def run(self, sink: "FileSink", stop: threading.Event) -> None:
        """Watch until `stop` is set; raise `SensorDiedError` when it can no longer see."""

    def counts(self) -> dict[str, int]:
        """Return what became of the kernel's records since `run` began; may be called from another thread.

        `read` == `outside` + `own` + `matched` + `waiting` + `unplaced`. `waiting` are those of a directory whose name
        is not known yet, `unplaced` those of one that is gone without one. `handed_on` counts changes, of
        which a record has none to many, `lost` the losses told of, `overflows` those of the kernel's queue.
        """


class FileSink(Protocol):
    """Takes what a :class:`FileSensor` sees.

    What was renamed or deleted may have been a directory, with all that was below that name, and another may be there by
    now: what is known of below such a path is to be looked at. What is below a new name is told, path by path.
    """

    def changed(self, change: RawChange) -> None:
        """Take one raw change."""

    def changed_many(self, changes: Sequence[RawChange]) -> None:
        """Take the changes of one batch, in order: as `changed` for each, at the price of one."""

    def lost(self, cause: str, scope: str, detail: Mapping[str, Any]) -> None:
        """Take the news that changes were missed: overflow, watch limit, a dead thread, an unseen directory."""


class Seal(Protocol):
    """A manifest that is believed, to be asked path by path. `manifest` is its digest, `entries` how many paths it has."""

    image: str
    manifest: str
    entries: int

    def entry(self, path: bytes) -> Entry | None:
        """Return what the seal says of a path, None if it says nothing; SealError when that cannot be read."""

    def own(self, path: bytes) -> Personal | None:
        """Return why a path is the host's own, None if it is not."""

    def covers(self, path: bytes) -> bool:
        """Tell whether a path is within the sealed trees, be it in the manifest or not."""

    def close(self) -> None:
        """Let go of what holds it."""
