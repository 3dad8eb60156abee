"""How a running agent is: what `hostseal status` shows of it, and the first thing a person should know."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from hostseal import __version__
from hostseal.core.event import EventType
from hostseal.gate_keeper import GateKeeper
from hostseal.pipeline import Pipeline
from hostseal.recorder import Recorder
from hostseal.scans.keeper import Keeper
from hostseal.sensors.decision_log import DecisionLogWatch
from hostseal.sensors.file_diff import Diffs
from hostseal.sensors.file_service import FileService
from hostseal.spool.sqlite import SqliteSpool
from hostseal.stages import Stages
from hostseal.supervise import Supervised
from hostseal.uplink.uplink import Uplink


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Asks the parts. `undecided` is how many change sets waited when the agent began, `aside` a damaged spool's place."""

    recorder: Recorder
    spool: SqliteSpool
    pipeline: Pipeline
    parts: Sequence[Supervised]
    files: FileService
    seal: Keeper
    diffs: Diffs
    stages: Stages
    keeper: GateKeeper
    watch: DecisionLogWatch | None
    uplink: Uplink | None
    undecided: int
    aside: str | None

    def status(self) -> dict[str, Any]:
        """Return what `hostseal status` shows of the running agent."""
        return {
            "version": __version__,
            "host": msgspec.to_builtins(self.recorder.host),
            "parts": {part.name: {"alive": part.alive, "deaths": part.deaths, "error": part.last_error}
                      for part in self.parts},
            "files": self._files(),
            "diffs": self.diffs.status(),
            "gate": self.keeper.status()["gate"],
            "policy": None if self.watch is None else self.watch.status(),
            "ledger": None if self.uplink is None else self.uplink.status(),
            "lockdown": {"level": str(self.pipeline.responses.lockdown.now.level),
                         "in_force": self.pipeline.responses.in_force()},
            "spool": {"pending": self.spool.pending(), "last_seq": self.spool.last_seq(),
                      "full": self.recorder.full, "trouble": self.pipeline.trouble},
        }  # fmt: skip

    def _files(self) -> dict[str, Any]:
        """Return the file sensor's status with the seal's, and how many change sets were decided on."""
        kind = EventType.FILES_CHANGED
        decided = {"found": self.undecided, **self.stages.of(kind), "undecided": self.spool.pending(kind)}
        return {**self.files.status(), "seal": self.seal.status(), "decided": decided}

    def trouble(self) -> str | None:
        """Return the first thing a person should know, None when all is well."""
        dead = (
            f"{part.name}: {part.last_error}" for part in self.parts if not part.alive and part.last_error
        )
        troubles = (
            self.recorder.full,
            self.pipeline.trouble,
            next(dead, None),
            f"a damaged spool was set aside: {self.aside}" if self.aside else None,
            None if self.uplink is None else self.uplink.trouble,
            None if self.watch is None else self.watch.trouble,
            self.seal.trouble,
        )
        return next((trouble for trouble in troubles if trouble), None)
