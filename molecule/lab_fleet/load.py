"""A steady stream of requests at the fleet's front, each counted."""

import http.client
import threading
import time
from typing import Self

_PAUSE_SECONDS = 0.01
_REQUEST_SECONDS = 10.0


class Load:
    """Sends requests while it is entered. `failed` holds what went wrong, in words."""

    def __init__(self, port: int) -> None:
        self._port, self._stop = port, threading.Event()
        self.sent, self.failed = 0, list[str]()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(_REQUEST_SECONDS)

    def _run(self) -> None:
        while not self._stop.wait(_PAUSE_SECONDS):
            self.sent += 1
            began = time.monotonic()
            try:
                status = self._request()
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(f"{type(error).__name__}: {error} after {time.monotonic() - began:.2f} s")
            else:
                if status != http.client.OK:
                    self.failed.append(f"status {status}")

    def _request(self) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_REQUEST_SECONDS)
        try:
            connection.request("GET", "/")
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()
