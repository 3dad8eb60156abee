"""What changed in text files, for `files.changed`: befores from the store, diffs without secrets from a process apart."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from hostseal.befores import fill
from hostseal.befores.choice import Choice
from hostseal.befores.present import Kind, Present, look
from hostseal.befores.store import BeforeStore, Missing
from hostseal.config.files import DiffSettings
from hostseal.core.change_set import PathChange, What
from hostseal.core.text_diff import Bounds, TextDiff
from hostseal.sensors.diff_child import Question
from hostseal.sensors.diff_maker import DiffMaker, LateError

SET_BYTES = 64 << 10
SET_SECONDS = 6.0
PATH_SECONDS = 5.0
"""Of wall time, on a host that has none to give; a text that is hard meets `PROCESSOR_SECONDS` first."""
LEAST_BYTES = 512
_WAITING = 256
_IDLE_SECONDS = 3600.0
_WITHHELD = TextDiff("", 0, cut=True)
Log = Callable[..., None]


class Diffs:
    """The diffs of change sets. :meth:`of` for each set, :meth:`kept` once its event is on disk; :meth:`run` in a thread.

    A set costs nothing but a match of each path where none is wanted; else a read of each wanted file of at most
    `max_bytes`, and where it differs 2 to 20 ms of another process (0.2 s when that has to start). At most
    `SET_SECONDS` in all, on a host that has no time to give; at most 2 s of processor for one text. The text of one set is at most `SET_BYTES`.
    """

    def __init__(self, settings: DiffSettings, folder: Path, log: Log) -> None:
        self._folder, self._log = folder, log
        self._settings, self._choice = settings, Choice(settings)
        self._maker = DiffMaker()
        self._store: BeforeStore | None = None
        self._changed = threading.Event()
        self._new: deque[bytes] = deque(maxlen=_WAITING)
        self._complete = False
        self._after: dict[bytes, Present] = {}
        self._made = self._withheld = 0
        self._note: str | None = None
        self._told: str | None = None

    def of(self, changes: Sequence[PathChange]) -> dict[bytes, dict[str, Any]]:
        """Return the diffs of one change set by path; a path that has none is not in it.

        None: excluded, no text, too large, the same content, or no before. An empty text that is `cut` is a change that
        could not be shown: the set's bound was reached, or the masking was not done in time; nothing goes out unmasked.
        Called again before :meth:`kept`, it returns the same again.
        """
        store, self._after = self._store, {}
        if store is None:
            return {}
        found: dict[bytes, dict[str, Any]] = {}
        deadline, left = time.monotonic() + SET_SECONDS, SET_BYTES
        for change in changes:
            sides = self._sides(store, change) if self._choice.wants(change.path) else None
            if sides is None or sides[0] == sides[1]:
                continue
            diff = self._diff(change.path, sides, left, deadline)
            if diff is not None:
                left -= len(diff.text.encode())
                found[change.path] = msgspec.to_builtins(diff)
        return found

    def kept(self) -> None:
        """Let what :meth:`of` saw be the next before: its diffs are on disk."""
        store, after = self._store, self._after
        self._after = {}
        if store is None:
            return
        for path, present in after.items():
            if present.kind is Kind.NOTHING:
                store.forget(path)
            else:
                store.keep(path, present.content, present.stamp)
        self._tell(store)

    def run(self, stop: threading.Event) -> None:
        """Fill the store, then what comes to be, until `stop` is set and :meth:`end` is called."""
        fill.lower_priority()
        if self._store is None:
            try:
                self._store = BeforeStore(self._folder, self._settings.store_bytes)
            except OSError as error:
                self._note = f"no diffs, for the store cannot be opened: {error}"
                self._log("befores.unusable", level="error", error=error)
                self._changed.wait(_IDLE_SECONDS)
                return
        self._tell(self._store)
        take = fill.fill
        while not stop.is_set():
            self._changed.clear()
            if not self._complete:
                choice, settings = self._choice, self._settings
                fill.clear_out(self._store, choice, stop)
                self._complete = take(self._store, choice, choice.bases(), settings.max_bytes, stop)
                take = fill.add
            while self._new and not stop.is_set():
                fill.add(self._store, self._choice, [self._new.popleft()], self._settings.max_bytes, stop)
            self._tell(self._store)
            if not stop.is_set() and not self._new:
                self._changed.wait(_IDLE_SECONDS)
        self._maker.end()

    def reconfigure(self, settings: DiffSettings) -> None:
        """Go by other settings from now on; the bound of the store applies from the next start."""
        if settings != self._settings:
            self._settings, self._choice, self._complete = settings, Choice(settings), False
            self._changed.set()

    def end(self) -> None:
        """Let :meth:`run` return. What is still handed on then has its diffs all the same, until :meth:`close`."""
        self._changed.set()

    def close(self) -> None:
        """Close the store, end the process."""
        self._maker.end()
        if self._store is not None:
            self._store.close()
            self._store = None

    def status(self) -> dict[str, Any]:
        """Return how diffs are, for `hostseal status`."""
        store = self._store
        held = None if store is None else msgspec.to_builtins(store.held())
        return {
            "complete": self._complete,
            "made": self._made,
            "withheld": self._withheld,
            "befores": held,
            "note": self._note or (held or {}).get("note"),
        }

    def _sides(self, store: BeforeStore, change: PathChange) -> tuple[bytes | None, bytes | None] | None:
        """Return before and after, None for a file that was not or is not there; None when one of them is no text."""
        present = look(change.path, self._settings.max_bytes)
        if present.kind is Kind.DIRECTORY:
            self._new.append(change.path)
            self._changed.set()
            return None
        self._after[change.path] = present
        before = store.before(change.path)
        if before is Missing.UNKEPT or present.kind is Kind.OTHER:
            return None
        if before is Missing.UNSEEN:
            is_new = What.CREATED in change.what or (self._complete and What.RENAMED in change.what)
            return (None, present.content) if is_new and present.kind is Kind.TEXT else None
        return before, present.content

    def _diff(
        self, path: bytes, sides: tuple[bytes | None, bytes | None], left: int, deadline: float
    ) -> TextDiff | None:
        seconds = min(PATH_SECONDS, deadline - time.monotonic())
        self._made += 1
        if left < LEAST_BYTES or seconds <= 0:
            self._withheld += 1
            return _WITHHELD
        bounds = Bounds(size=min(left, Bounds().size))
        question = Question(
            path=path, before=sides[0], after=sides[1], mask=self._settings.mask, bounds=bounds
        )
        try:
            return self._maker.ask(question, seconds)
        except LateError as error:
            self._withheld += 1
            self._log(
                "diff.withheld", level="warning", path=path.decode("utf-8", "backslashreplace"), error=error
            )
            return _WITHHELD

    def _tell(self, store: BeforeStore) -> None:
        if store.note is not None and store.note != self._told:
            self._told = store.note
            self._log("befores.damaged", level="warning", error=store.note)
