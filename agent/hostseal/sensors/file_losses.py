"""Losses on their way into the spool: the same cause and scope is said once, with its count."""

import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from hostseal.core.scan_plan import Cause
from hostseal.core.scopes import WHOLE
from hostseal.scans.owed import Owed
from hostseal.sensors.file_report import stamp

LIMIT = 256
_REST = "and others"


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one loss, or of several alike."""

    cause: str
    scope: str
    detail: Mapping[str, Any]
    since: datetime
    until: datetime
    count: int = 1

    def data(self) -> dict[str, Any]:
        """Return the data of a `sensor.lost` event, but for the sensor."""
        return {
            "cause": self.cause,
            "since": stamp(self.since),
            "until": stamp(self.until),
            "scope": self.scope,
            "rescanned": False,
            "detail": {**self.detail, "count": self.count},
        }

    def owed(self, sensor: str) -> Owed:
        """Return what is owed for the loss once it is on record: a scan."""
        return Owed(
            sensor=sensor,
            cause=self.cause,
            scope=self.scope,
            since=stamp(self.since),
            until=stamp(self.until),
            detail=self.detail,
            count=self.count,
        )


class Losses:
    """Bounded: beyond `LIMIT` different ones a cause's scopes are thrown together."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], Loss] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def waiting(self) -> int:
        """How many losses were taken and not emitted."""
        return sum(loss.count for loss in self._waiting.values())

    def add(
        self,
        cause: str,
        scope: str,
        detail: Mapping[str, Any],
        now: datetime,
        since: datetime | None = None,
    ) -> None:
        """Take one loss; `since` when it began, if it was not just now."""
        if len(self._waiting) >= LIMIT and (cause, scope) not in self._waiting:
            scope = _REST
        known = self._waiting.get((cause, scope))
        self._waiting[cause, scope] = (
            Loss(cause=cause, scope=scope, detail=detail, since=since or now, until=now)
            if known is None
            else replace(known, until=now, count=known.count + 1, detail=detail)
        )

    def first(self) -> Loss | None:
        """Return the oldest, None when there is none."""
        return next(iter(self._waiting.values()), None)

    def emitted(self, loss: Loss) -> None:
        """Drop what was emitted; what was added to it since stays."""
        current = self._waiting.pop((loss.cause, loss.scope))
        if current.count > loss.count:
            rest = replace(current, since=loss.until, count=current.count - loss.count)
            self._waiting[loss.cause, loss.scope] = rest


def cause_of(cause: str) -> Cause:
    """Return why a loss's scope is scanned."""
    return Cause.MOUNT if cause.startswith("mount") else Cause.LOSS


def scope_of(scope: str) -> tuple[bytes, ...]:
    """Return where to scan after a loss: at the path its scope names, or the nearest one above that is there; else everywhere."""
    path = os.fsencode(scope)
    if not scope.startswith("/") or ", /" in scope:
        return WHOLE
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return (path,)
