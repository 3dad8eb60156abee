"""`hostseal doctor --learn`: watches what changes for a while, and proposes classes of files that change by design."""

import json
import os
import stat
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from hostseal.cli.control import NotRunningError, ask
from hostseal.cli.progress import progress
from hostseal.clock import SystemClock
from hostseal.config.settings import Settings
from hostseal.core.learning import Lesson, Proposal, propose
from hostseal.core.text import shown

_STEP_SECONDS = 1.0
_SHOWN = 50


def watch(settings: Settings, state: Path, seconds: float, *, as_json: bool) -> None:
    """Watch for that long, or until Ctrl-C, and print what is proposed: through the agent's records while it runs."""
    running = _runs()
    changes = _recorded(state, seconds) if running else _seen(settings, seconds)
    lesson = propose(changes, _modes(changes))
    if as_json:
        click.echo(msgspec.json.encode(lesson).decode())
        return
    source = "the agent's records" if running else "a sensor of its own, for no agent runs"
    for line in _toml(lesson, len(changes), f"{seconds:.0f} s by {source}"):
        click.echo(line)


def _runs() -> bool:
    try:
        ask({"op": "status"})
    except NotRunningError:
        return False
    return True


def _recorded(state: Path, seconds: float) -> list[dict[str, Any]]:
    """Return the change sets that the agent puts on record from now on. SpoolError."""
    from hostseal.spool.reading import SpoolReader

    reader = SpoolReader(state / "spool.db")
    after = reader.last_seq(0)
    _wait(seconds)
    records = (record["event"] for record in reader.events(after))
    return [event["data"] for event in records if event["type"] == "files.changed"]


def _seen(settings: Settings, seconds: float) -> list[dict[str, Any]]:
    """Return the change sets that a sensor of our own sees. ConfigError when none works here."""
    from hostseal.sensors.file_watch import FileWatch

    seen: list[dict[str, Any]] = []

    def emit(event_type: str, data: Mapping[str, Any], *, sensor: str, key: str) -> str:
        if event_type == "files.changed":
            seen.append(json.loads(msgspec.json.encode(data)))
        return f"{sensor}/{key}"

    stop = threading.Event()
    watching = FileWatch(settings.files, emit, lambda _: None, lambda _: None, SystemClock())
    thread = threading.Thread(target=watching.run, args=(stop,), name="learn", daemon=True)
    thread.start()
    try:
        _wait(seconds)
    finally:
        stop.set()
        thread.join()
    return seen


def _wait(seconds: float) -> None:
    """Let the time pass, shown on a terminal; Ctrl-C ends it early, and what was seen until then counts."""
    with progress("watching", round(seconds)) as advance:
        end = time.monotonic() + seconds
        try:
            while (left := end - time.monotonic()) > 0:
                time.sleep(min(left, _STEP_SECONDS))
                advance(1)
        except KeyboardInterrupt:
            click.echo("ended early", err=True)


def _modes(changes: Iterable[Mapping[str, Any]]) -> dict[str, int | None]:
    """Return the permission bits of what is now at the changed paths; None: nothing, or it cannot be looked at."""
    paths = {path["path"] for data in changes for path in data["paths"]}
    return {path: _mode(path) for path in paths}


def _mode(path: str) -> int | None:
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return None
    # What can be searched is no program.
    return stat.S_IMODE(status.st_mode) & ~(0o111 if stat.S_ISDIR(status.st_mode) else 0)


def _toml(lesson: Lesson, sets: int, how: str) -> Iterator[str]:
    yield f"# {sets} change set(s) in {how}."
    if lesson.truncated:
        yield f"# {lesson.truncated} of them named only some of their paths."
    if not lesson.proposals:
        yield "# Nothing to propose."
    else:
        yield "# Nothing of this is in force. Put into a file in /etc/hostseal/config.d what you can give a reason for;"
        yield "# a class without one is refused."
    for one in lesson.proposals:
        yield ""
        yield from _class(one)
    if lesson.refused:
        yield ""
        yield "# Not proposed:"
    for refused in lesson.refused[:_SHOWN]:
        yield shown(f"#   {refused.path}, {refused.times} time(s) by {refused.writer}: {refused.why}")
    if len(lesson.refused) > _SHOWN:
        yield f"#   and {len(lesson.refused) - _SHOWN} more"


def _class(one: Proposal) -> Iterator[str]:
    yield f"[files.by_design.{one.name or 'unnamed'}]"
    programs = ", ".join(one.programs)
    yield shown(
        f"# {one.times} change(s) in {one.events} event(s) from {one.first} to {one.last}, by {programs}"
    )
    yield 'reason = ""'
    yield f"paths = {_list(one.paths)}"
    yield f"what = {_list([str(what) for what in one.what])}"
    yield f"units = {_list(one.units)}"


def _list(values: Sequence[str]) -> str:
    """Return the texts as TOML has them, which is as JSON has them but for one character."""
    return json.dumps(list(values)).replace("\x7f", "\\u007f")
