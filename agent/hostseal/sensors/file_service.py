"""The file sensor as a part of the agent that takes new settings while it runs."""

import threading
from collections.abc import Callable
from typing import Any

from hostseal.config.files import FilesSettings
from hostseal.core.blind import Blind
from hostseal.sensors.file_watch import FileWatch


class FileService:
    """Runs one FileWatch after another: a new one for each settings it is given."""

    def __init__(self, settings: FilesSettings, make: Callable[[FilesSettings], FileWatch]) -> None:
        self._settings, self._make = settings, make
        self._ended = threading.Event()
        self._watch: FileWatch | None = None

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop` is set and :meth:`end` is called; whatever the watch raises goes on to the caller."""
        before: FileWatch | None = None
        while not stop.is_set():
            self._ended = threading.Event()
            if stop.is_set():
                return
            self._watch = self._make(self._settings)
            if before is not None:
                self._watch.lost("settings_changed", f"{before.scope} until it is {self._watch.scope}", {})
            before = self._watch
            self._watch.run(self._ended)

    def reconfigure(self, settings: FilesSettings) -> None:
        """Watch by other settings from now on."""
        if settings != self._settings:
            self._settings = settings
            self._ended.set()

    def end(self) -> None:
        """Let :meth:`run` return."""
        self._ended.set()

    def status(self) -> dict[str, Any]:
        """Return how the watch is, for `hostseal status`."""
        return (
            self._watch.status()
            if self._watch is not None
            else {"backend": "", "reason": "not started", "lost": 0}
        )

    def handed_on(self, before: float) -> bool:
        """Tell whether every change seen before a monotonic time is on record."""
        return self._watch is None or self._watch.handed_on(before)

    def blind(self, interval: Blind) -> None:
        """Take the news that nobody looked for a while."""
        if self._watch is not None:
            self._watch.blind(interval)
