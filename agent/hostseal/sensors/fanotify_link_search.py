"""Looks, beside the reader, for watched files that have several names already: links older than the sensor."""

import os
import stat
import threading
from collections import deque
from collections.abc import Iterator

from hostseal.sensors import fanotify_abi as abi
from hostseal.sensors.file_scope import Position, Scope


class LinkSearch:
    """Walks the watched trees in a thread of its own; what it has found is taken from it by the reader's."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._found: deque[bytes] = deque()
        self._lock = threading.Lock()
        self._wanted = False
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def start(self) -> None:
        """Search; once more afterwards, if a search is under way."""
        with self._lock:
            self._wanted = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="links", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End, and wait for it."""
        self._stop.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()

    def found(self) -> Iterator[bytes]:
        """Yield, once, the handles of the files found since the last time."""
        while self._found:
            yield self._found.popleft()

    def _run(self) -> None:
        while self._next():
            self._search()

    def _next(self) -> bool:
        with self._lock:
            wanted, self._wanted = self._wanted and not self._stop.is_set(), False
            if not wanted:
                self._thread = None
            return wanted

    def _search(self) -> None:
        seen: set[tuple[int, int]] = set()
        stack = list(self._scope.bases())
        while stack and not self._stop.is_set():
            try:
                with os.scandir(stack.pop()) as entries:
                    for entry in entries:
                        self._see(entry, seen, stack)
            except OSError:
                continue

    def _see(self, entry: os.DirEntry[bytes], seen: set[tuple[int, int]], stack: list[bytes]) -> None:
        try:
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                if self._scope.position(entry.path) is not Position.OUTSIDE:
                    stack.append(entry.path)
                return
            file = (status.st_dev, status.st_ino)
            if status.st_nlink > 1 and file not in seen and self._scope.holds(entry.path):
                seen.add(file)
                self._found.append(abi.key_at(entry.path))
        except OSError:
            return
