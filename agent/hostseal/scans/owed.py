"""Losses that were put on record and wait until what they concern was scanned."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

LIMIT = 256
_REST = "and others"


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """One loss as its `sensor.lost` has it; `since` and `until` are timestamps, `count` how often it was."""

    sensor: str
    cause: str
    scope: str
    since: str | None
    until: str | None
    detail: Mapping[str, Any]
    count: int = 1

    def rescanned(self, found: int) -> dict[str, Any]:
        """Return the data of the `sensor.lost` that says it was made good; `found` is how many differences there are."""
        return {
            "sensor": self.sensor,
            "cause": self.cause,
            "since": self.since,
            "until": self.until,
            "scope": self.scope,
            "rescanned": True,
            "detail": {**self.detail, "count": self.count, "differences": found},
        }


class Ledger:
    """Bounded: losses alike are one, with their count, unless a scan for them is under way; beyond `LIMIT` all are alike."""

    def __init__(self) -> None:
        self._next = 0
        self._owed: dict[int, Owed] = {}
        self._closed: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self._owed)

    def add(self, loss: Owed) -> int:
        """Take a loss; return what it goes by."""
        alike = next(
            (n for n, known in self._owed.items() if n not in self._closed and _alike(known, loss)), None
        )
        if alike is None and len(self._owed) >= LIMIT:
            loss = replace(loss, scope=_REST, sensor="files", cause=_REST)
            alike = next((n for n, known in self._owed.items() if _alike(known, loss)), None)
        if alike is not None:
            known = self._owed[alike]
            self._owed[alike] = replace(known, until=loss.until, count=known.count + loss.count)
            return alike
        self._next += 1
        self._owed[self._next] = loss
        return self._next

    def begin(self, numbers: Iterable[int]) -> None:
        """Let what a scan has begun for grow no more."""
        self._closed = frozenset(numbers)

    def settle(self, numbers: Iterable[int]) -> list[Owed]:
        """Return these losses, and owe nothing for them any more."""
        return [self._owed.pop(number) for number in sorted(numbers) if number in self._owed]


def _alike(one: Owed, other: Owed) -> bool:
    return (one.sensor, one.cause, one.scope) == (other.sensor, other.cause, other.scope)
