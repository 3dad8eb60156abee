"""Keeps the agent's threads running; a thread's death is told, never silent."""

import threading
from collections.abc import Callable

from hostseal.core.backoff import delay

Run = Callable[[threading.Event], None]
Died = Callable[[str, BaseException, int], None]


class Supervised:
    """One named thread that is started again, with back-off, when it dies."""

    def __init__(self, name: str, run: Run, died: Died) -> None:
        self.name, self._run, self._died = name, run, died
        self.deaths = 0
        self.last_error: str | None = None
        self.alive = False

    def start(self, stop: threading.Event) -> None:
        """Start the thread."""
        threading.Thread(target=self._keep, args=(stop,), name=self.name, daemon=True).start()

    def _keep(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self.alive = True
            try:
                self._run(stop)
            except Exception as error:  # noqa: BLE001 - whatever kills a part is told and survived
                self.deaths += 1
                self.last_error = f"{type(error).__name__}: {error}"
                self.alive = False
                self._died(self.name, error, self.deaths)
                stop.wait(delay(self.deaths))
            else:
                self.alive = False
                if not stop.is_set():
                    stop.wait(delay(1))
