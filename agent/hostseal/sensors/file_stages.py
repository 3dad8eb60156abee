"""How many notifications, changes and losses have passed each stage: what comes in is what went out and what waits."""

from typing import Any

from hostseal.core.change_set import ChangeSet
from hostseal.ports import FileSensor


class Counts:
    """Of one watch. Not safe for threads.

    `changes` == `waiting` + `spooled.changes`, and `spooled.changes` == `spooled.paths` + `coalesced` + `unnamed`: each
    change is a path of a change set, one more of a path that is named already, or of one that found no room.
    """

    def __init__(self) -> None:
        self.changes = self.losses_spooled = 0
        self._losses = self._sets = self._spooled = self._paths = self._unnamed = 0
        self._sensor: FileSensor | None = None
        self._before: dict[str, int] = {}

    def reads(self, sensor: FileSensor) -> None:
        """Take the sensor that is read from now on; what those before it have counted stays."""
        self._before, self._sensor = self._kernel(), sensor

    def lost(self) -> None:
        """Count one loss."""
        self._losses += 1

    def spooled(self, changes: ChangeSet) -> None:
        """Count a change set that is on disk."""
        self._sets += 1
        self._spooled += changes.count
        self._paths += len(changes.paths)
        self._unnamed += changes.unnamed

    def report(self, *, waiting: int, losses_waiting: int) -> dict[str, Any]:
        """Return all counts; `waiting` are changes, `losses_waiting` losses that are not on disk."""
        return {
            "kernel": self._kernel(),
            "changes": self.changes,
            "waiting": waiting,
            "spooled": {"sets": self._sets, "changes": self._spooled, "paths": self._paths},
            "coalesced": self._spooled - self._paths - self._unnamed,
            "unnamed": self._unnamed,
            "losses": {"seen": self._losses, "spooled": self.losses_spooled, "waiting": losses_waiting},
        }

    def _kernel(self) -> dict[str, int]:
        counts = self._sensor.counts() if self._sensor is not None else {}
        return {name: counts.get(name, 0) + self._before.get(name, 0) for name in {*counts, *self._before}}
