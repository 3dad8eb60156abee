"""What the file sensor needs of whoever holds the host to its seal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from hostseal.core.attribution import Confidence, Writer
from hostseal.core.change_set import PathChange
from hostseal.core.scan_plan import Cause
from hostseal.core.verdict import Verdict
from hostseal.scans.judge import Looked, unjudged
from hostseal.scans.owed import Owed


class Guard(Protocol):
    """Judges changed paths, and has scanned what was missed."""

    def look(self, change: PathChange, writer: Writer, confidence: Confidence, budget: int) -> Looked:
        """Return what is at a changed path and how it stands to the seal, with at most `budget` bytes read."""

    def told(self, verdicts: Sequence[tuple[bytes, Verdict]]) -> None:
        """Take what is on record now."""

    def moved(self, paths: Sequence[bytes]) -> None:
        """Scan below those that the seal has as directories: another one may stand there since, without what this one had."""

    def owe(self, loss: Owed, cause: Cause, scope: Iterable[bytes]) -> None:
        """Scan what a recorded loss concerns."""

    def rest(self, data: Mapping[str, Any], scope: Iterable[bytes], folders: frozenset[bytes] | None) -> None:
        """Scan for what a recorded change set did not name: in `folders`, all of them below `scope`."""


class Unguarded:
    """Where there is no seal: everything is unsealed, and nothing is scanned."""

    def look(self, change: PathChange, writer: Writer, confidence: Confidence, budget: int) -> Looked:
        """Return what is at a changed path."""
        return unjudged(change, writer, confidence, budget)

    def told(self, verdicts: Sequence[tuple[bytes, Verdict]]) -> None:
        """Take it for granted."""

    def moved(self, paths: Sequence[bytes]) -> None:
        """Leave it at what is on record."""

    def owe(self, loss: Owed, cause: Cause, scope: Iterable[bytes]) -> None:
        """Leave a loss at what is on record of it."""

    def rest(self, data: Mapping[str, Any], scope: Iterable[bytes], folders: frozenset[bytes] | None) -> None:
        """Leave it unnamed."""
