"""A sink that counts what a backend hands on."""

from collections.abc import Mapping, Sequence
from typing import Any

from hostseal.ports import FileSink, RawChange


class CountingSink:
    """Passes everything on; `handed_on` are changes, `losses` the losses told of."""

    def __init__(self, sink: FileSink) -> None:
        self._sink = sink
        self.handed_on = self.losses = 0

    def changed(self, change: RawChange) -> None:
        """Pass on one change."""
        self.handed_on += 1
        self._sink.changed(change)

    def changed_many(self, changes: Sequence[RawChange]) -> None:
        """Pass on the changes of one batch; none are not worth a call."""
        if changes:
            self.handed_on += len(changes)
            self._sink.changed_many(changes)

    def lost(self, cause: str, scope: str, detail: Mapping[str, Any]) -> None:
        """Pass on a loss."""
        self.losses += 1
        self._sink.lost(cause, scope, detail)
