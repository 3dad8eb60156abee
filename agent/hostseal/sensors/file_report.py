"""From a closed change set to the data of a `files.changed` event: digests, and what an action had declared."""

import base64
import os
import stat
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from hostseal.core.attribution import Writer, WriterKind
from hostseal.core.change_set import ChangeSet, PathChange, What
from hostseal.core.text import faithful
from hostseal.sensors.file_digest import FILE_LIMIT, sha256

SET_LIMIT = 256 << 20
_TEMPORARY = (b".ansible_tmp", b"tmp")
Declared = Mapping[bytes, frozenset[str | None]]


class Seen(msgspec.Struct, frozen=True):
    """What is at a path now: None where there is nothing."""

    mode: int | None
    sha256: str | None


def report(
    changes: ChangeSet,
    writer: Writer,
    declared: Declared | None,
    *,
    now: datetime,
    monotonic: float,
    diffs: Mapping[bytes, Mapping[str, Any]] = {},
) -> dict[str, Any]:
    """Return the event's data. `declared` is what the action unit said it would write; None: nothing.

    `diffs`: of those paths that have one.
    """
    budget, paths = SET_LIMIT, []
    for change in changes.paths:
        seen, used = look(change.path, budget)
        budget -= used
        expected = (
            writer.kind is WriterKind.ACTION
            and not changes.truncated
            and is_expected(change, seen, declared or {})
        )
        paths.append({**_path(change, seen, expected=expected), "diff": diffs.get(change.path)})
    return {
        "writer": msgspec.to_builtins(writer),
        "paths": paths,
        "count": changes.count,
        "truncated": changes.truncated,
        "confidence": changes.confidence.value,
        "first": stamp(now - timedelta(seconds=monotonic - changes.first)),
        "last": stamp(now - timedelta(seconds=monotonic - changes.last)),
    }


def look(path: bytes, budget: int) -> tuple[Seen, int]:
    """Return what is at `path`, and how many bytes were read for its digest."""
    try:
        status = os.lstat(path)
    except OSError:
        return Seen(None, None), 0
    limit = min(FILE_LIMIT, budget)
    if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
        return Seen(status.st_mode, None), 0
    return Seen(status.st_mode, sha256(path, limit)), status.st_size


def is_expected(change: PathChange, seen: Seen, declared: Declared) -> bool:
    """Tell whether a path is as an action had declared it (law 10).

    Beside the declared paths themselves, two things may happen on the way to them: a directory above one is
    made, and Ansible writes `.ansible_tmp*` or `tmp*` beside one, which is gone when the change set closes.
    """
    if change.path in declared:
        wanted = declared[change.path]
        return None in wanted if seen.mode is None else seen.sha256 is not None and seen.sha256 in wanted
    if seen.mode is None:
        directory, name = os.path.split(change.path)
        return name.startswith(_TEMPORARY) and any(os.path.dirname(path) == directory for path in declared)
    made = stat.S_ISDIR(seen.mode) and What.CREATED in change.what
    return made and any(path.startswith(change.path + b"/") for path in declared)


def stamp(time: datetime) -> str:
    """Return an aware UTC time as RFC 3339 with microseconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _path(change: PathChange, seen: Seen, *, expected: bool) -> dict[str, Any]:
    try:
        change.path.decode()
        raw = None
    except UnicodeDecodeError:
        raw = base64.b64encode(change.path).decode("ascii")
    return {
        "path": faithful(change.path),
        "raw": raw,
        "what": [what.value for what in change.what],
        "sha256": seen.sha256,
        "expected": expected,
        "seal": "unsealed",
        "class": None,
        "differs": [],
        "lays": None,
    }
