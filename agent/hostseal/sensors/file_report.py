"""From a closed change set to the data of a `files.changed` event: digests, and what an action had declared."""

import base64
import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from hostseal.core.attribution import Confidence, Writer, WriterKind
from hostseal.core.change_set import ChangeSet, PathChange, What
from hostseal.core.gains import gains
from hostseal.core.grants import grants
from hostseal.core.seal import Kind
from hostseal.core.text import faithful
from hostseal.scans.judge import Looked, unjudged

SET_LIMIT = 256 << 20
_TEMPORARY = (b".ansible_tmp", b"tmp")
Declared = Mapping[bytes, frozenset[str | None]]
Look = Callable[[PathChange, Writer, Confidence, int], Looked]


def report(
    changes: ChangeSet,
    writer: Writer,
    declared: Declared | None,
    look: Look = unjudged,
    *,
    now: datetime,
    monotonic: float,
    diffs: Mapping[bytes, Mapping[str, Any]] = {},
) -> dict[str, Any]:
    """Return the event's data. `declared` is what the action unit said it would write; None: nothing.

    `look` is asked what is at each path and how that stands to the seal, with the bytes it may still read. `diffs`: of those
    paths that have one.
    """
    budget, paths = SET_LIMIT, []
    for change in changes.paths:
        looked = look(change, writer, changes.confidence, budget)
        budget -= looked.read
        expected = (
            writer.kind is WriterKind.ACTION
            and not changes.truncated
            and is_expected(change, looked, declared or {})
        )
        diff = diffs.get(change.path)
        granted = grants(change.path, diff["text"]) if diff is not None else []
        paths.append({**_path(change, looked, expected=expected), "grants": granted, "diff": diff})
    return {
        "writer": msgspec.to_builtins(writer),
        "paths": paths,
        "count": changes.count,
        "truncated": changes.truncated,
        "confidence": changes.confidence.value,
        "first": stamp(now - timedelta(seconds=monotonic - changes.first)),
        "last": stamp(now - timedelta(seconds=monotonic - changes.last)),
    }


def is_expected(change: PathChange, looked: Looked, declared: Declared) -> bool:
    """Tell whether a path is as an action had declared it (law 10).

    Beside the declared paths themselves, two things may happen on the way to them: a directory above one is
    made, and Ansible writes `.ansible_tmp*` or `tmp*` beside one, which is gone when the change set closes.
    """
    if change.path in declared:
        wanted = declared[change.path]
        return (
            None in wanted if looked.kind is None else looked.sha256 is not None and looked.sha256 in wanted
        )
    if looked.kind is None:
        directory, name = os.path.split(change.path)
        return name.startswith(_TEMPORARY) and any(os.path.dirname(path) == directory for path in declared)
    made = looked.kind is Kind.DIRECTORY and What.CREATED in change.what
    return made and any(path.startswith(change.path + b"/") for path in declared)


def stamp(time: datetime) -> str:
    """Return an aware UTC time as RFC 3339 with microseconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _path(change: PathChange, looked: Looked, *, expected: bool) -> dict[str, Any]:
    try:
        change.path.decode()
        raw = None
    except UnicodeDecodeError:
        raw = base64.b64encode(change.path).decode("ascii")
    return {
        "path": faithful(change.path),
        "raw": raw,
        "what": [what.value for what in change.what],
        "sha256": looked.sha256,
        "expected": expected,
        "seal": str(looked.verdict.seal),
        "class": looked.verdict.design,
        "differs": looked.verdict.differs,
        "lays": None,
        "gains": _gains(looked),
    }


def _gains(looked: Looked) -> list[str]:
    return [str(gain) for gain in gains(looked.verdict.differences)] if looked.kind is Kind.FILE else []
