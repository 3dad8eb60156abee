"""Files that are written to and not closed: a writer may hold one open for days, and truncate(2) opens none.

The end of writing is told by the close. Without one, a change is handed on when it has waited for it long enough:
sooner would report every longer write twice.
"""

from typing import Generic, TypeVar

from hostseal.ports import RawChange

SECONDS = 2.0
LIMIT = 16_384
_Change = TypeVar("_Change", bound=RawChange)


class Unclosed(Generic[_Change]):
    """Modifications by path that no close has followed, the oldest first; beyond `LIMIT` they wait no longer."""

    def __init__(self) -> None:
        self._waiting: dict[bytes, _Change] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, change: _Change) -> None:
        """Take a modification; the first of several stands for all."""
        self._waiting.setdefault(change.path, change)

    def closed(self, path: bytes) -> None:
        """Forget a file: its close is handed on."""
        self._waiting.pop(path, None)

    def due(self, now: float) -> list[_Change]:
        """Return, once, what has waited for `SECONDS` at `now` (of the clock that `at` is of)."""
        found: list[_Change] = []
        for change in self._waiting.values():
            if change.at + SECONDS > now and len(self._waiting) - len(found) <= LIMIT:
                break
            found.append(change)
        for change in found:
            del self._waiting[change.path]
        return found
