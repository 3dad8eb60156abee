"""The peers that are Python libraries, each as bare as it can be: a counter. Run as a script, by the Python that has the library.

files_counters.py pyinotify|watchdog ROOT [--cover]
"""

import json
import logging
import signal
import sys
import time
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from bench.files_load import Seen


class Warned(logging.Handler):
    """Counts warnings of an overflow."""

    times = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.times += "overflow" in record.getMessage()


def pyinotify_counter(root: str, seen: Seen | None) -> dict[str, Any]:
    """Count until SIGTERM."""
    warnings.simplefilter("ignore")
    import pyinotify

    kinds = {"IN_CREATE": "c", "IN_CLOSE_WRITE": "m", "IN_ATTRIB": "a", "IN_DELETE": "d"}
    records, overflows = 0, 0

    class Count(pyinotify.ProcessEvent):  # type: ignore[misc]
        def process_default(self, event: Any) -> None:
            nonlocal records
            records += 1
            if seen and event.maskname in kinds:
                seen.add(event.pathname, kinds[event.maskname])

        def process_IN_Q_OVERFLOW(self, _: Any) -> None:  # noqa: N802 - pyinotify's name
            nonlocal overflows
            overflows += 1

    manager = pyinotify.WatchManager()
    notifier = pyinotify.Notifier(manager, Count())
    mask = pyinotify.IN_CREATE | pyinotify.IN_CLOSE_WRITE | pyinotify.IN_ATTRIB | pyinotify.IN_DELETE
    manager.add_watch(f"{root}/etc", mask, rec=True, auto_add=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print("ready", flush=True)
    notifier.loop()
    return {"records": records, "lost": overflows}


def watchdog_counter(root: str, seen: Seen | None) -> dict[str, Any]:
    """Count until SIGTERM. It has no event for an overflow, but logs a warning; attributes are `modified` too."""
    from watchdog.events import (
        FileClosedEvent,
        FileCreatedEvent,
        FileDeletedEvent,
        FileModifiedEvent,
        FileSystemEventHandler,
    )
    from watchdog.observers import Observer

    kinds = {FileCreatedEvent: "c", FileClosedEvent: "m", FileModifiedEvent: "a", FileDeletedEvent: "d"}
    records, ended = 0, False
    warned = Warned()
    logging.getLogger("watchdog").addHandler(warned)

    class Count(FileSystemEventHandler):
        def on_any_event(self, event: Any) -> None:
            nonlocal records
            records += 1
            if seen and type(event) in kinds:
                seen.add(event.src_path, kinds[type(event)])

    def end(*_: object) -> None:
        nonlocal ended
        ended = True

    signal.signal(signal.SIGTERM, end)
    observer = Observer()
    observer.schedule(Count(), f"{root}/etc", recursive=True, event_filter=list(kinds))
    observer.start()
    print("ready", flush=True)
    while not ended:
        time.sleep(0.2)
    return {"records": records, "lost": warned.times}


def main() -> None:
    name, root = sys.argv[1:3]
    seen = Seen(root) if "--cover" in sys.argv else None
    result = {"pyinotify": pyinotify_counter, "watchdog": watchdog_counter}[name](root, seen)
    print(json.dumps({**result, "pairs": seen and seen.pairs}), flush=True)


if __name__ == "__main__":
    main()
