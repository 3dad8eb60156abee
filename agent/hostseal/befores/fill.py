"""Fills the store with what is there now: at the agent's start, and for directories that came to be later."""

import contextlib
import os
import stat
import threading
from collections.abc import Callable, Iterator

from hostseal.befores.choice import Choice
from hostseal.befores.present import Kind, look, stamp_of
from hostseal.befores.store import BeforeStore

MAX_ENTRIES = 200_000
PAUSE_SECONDS = 0.001
_EVERY = 64


def lower_priority() -> None:
    """Let this thread, and no other, run when nothing else wants to."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


def fill(store: BeforeStore, choice: Choice, bases: list[bytes], limit: int, stop: threading.Event) -> bool:
    """Keep every wanted file at or below `bases` that is not as it was when it was kept; return whether all was seen.

    By stamp: what has not changed is not read. For the start, when nobody saw what happened meanwhile.
    """
    return _take(
        store, choice, bases, limit, stop, lambda path, status: store.stamp(path) != stamp_of(status)
    )


def add(store: BeforeStore, choice: Choice, bases: list[bytes], limit: int, stop: threading.Event) -> bool:
    """Keep the wanted files that the store does not know; return as :func:`fill`.

    For later: what it knows may have changed a moment ago, and is the before of a change set that is still open.
    """
    return _take(store, choice, bases, limit, stop, lambda path, _: store.stamp(path) is None)


def _take(
    store: BeforeStore,
    choice: Choice,
    bases: list[bytes],
    limit: int,
    stop: threading.Event,
    is_due: Callable[[bytes, os.stat_result], bool],
) -> bool:
    """No link is followed. A pause after each file that is read leaves the interpreter to the sensors."""
    for seen, (path, status) in enumerate(_walk(choice, bases)):
        if stop.is_set() or seen >= MAX_ENTRIES:
            return False
        if choice.wants(path) and is_due(path, status):
            found = look(path, limit)
            if found.kind in {Kind.TEXT, Kind.OTHER}:
                store.keep(path, found.content, found.stamp)
            stop.wait(PAUSE_SECONDS)
        elif seen % _EVERY == 0:
            stop.wait(PAUSE_SECONDS)
    return True


def clear_out(store: BeforeStore, choice: Choice, stop: threading.Event) -> None:
    """Forget what is no longer wanted or no longer there: an exclude that was added takes its befores with it."""
    for path in store.paths():
        if stop.is_set():
            return
        if not choice.wants(path) or not os.path.lexists(path):
            store.forget(path)


def _walk(choice: Choice, bases: list[bytes]) -> Iterator[tuple[bytes, os.stat_result]]:
    """Yield all that is no directory, by path; what cannot be read is passed over."""
    waiting, first = list(bases), frozenset(bases)
    while waiting:
        place = waiting.pop()
        try:
            status = os.lstat(place)
            if not stat.S_ISDIR(status.st_mode):
                yield place, status
            elif place in first or choice.leads_on(place):
                with os.scandir(place) as entries:
                    waiting += [entry.path for entry in entries if entry.path not in first]
        except OSError:
            continue
