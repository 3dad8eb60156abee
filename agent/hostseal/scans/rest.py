"""The paths of a change set that found no room in it: a scan finds them, and they are its writer's by elimination."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from hostseal.core.attribution import Confidence
from hostseal.core.gains import gains
from hostseal.core.persistence import kind_of
from hostseal.core.seal_compare import Change, Difference
from hostseal.core.text import faithful

LIMIT = 64
_WHAT = {Change.ADDED: "created", Change.MISSING: "deleted"}


class Rest(msgspec.Struct, frozen=True, kw_only=True):
    """`data` is that of the change set's event; `folders` are the very directories in which it named not all paths."""

    data: Mapping[str, Any]
    folders: frozenset[bytes]


def alone(rests: Sequence[Rest]) -> list[tuple[Rest, frozenset[bytes]]]:
    """Return each rest with the directories that are no other writer's rest as well."""
    found = []
    for rest in rests:
        others = [one.folders for one in rests if one.data["writer"] != rest.data["writer"]]
        found.append((rest, rest.folders.difference(*others)))
    return found


def event(rest: Rest, found: Mapping[bytes, Iterable[Difference]], count: int) -> dict[str, Any]:
    """Return the data of the `files.changed` that names the rest; `count` is of paths, of which `found` may be the first.

    Nobody was seen to do it but this writer, and it was seen that he changed more there than was named: that is inferred.
    """
    exact = rest.data["confidence"] == Confidence.EXACT
    return {
        **rest.data,
        "paths": [_path(path, tuple(differences)) for path, differences in found.items()],
        "count": count,
        "truncated": count > len(found),
        "confidence": str(Confidence.INFERRED) if exact else rest.data["confidence"],
    }


def _path(path: bytes, differences: tuple[Difference, ...]) -> dict[str, Any]:
    try:
        path.decode()
        raw = None
    except UnicodeDecodeError:
        raw = base64.b64encode(path).decode("ascii")
    digests = [one.found for one in differences if one.change is Change.CONTENT]
    return {
        "path": faithful(path),
        "raw": raw,
        "what": sorted({_WHAT.get(one.change, "modified") for one in differences}),
        "sha256": digests[0] if digests and len(digests[0]) == 64 else None,  # noqa: PLR2004 - a SHA-256 in hex
        "expected": False,
        "seal": "broken",
        "class": None,
        "differs": [str(one.change) for one in differences],
        "lays": kind_of(path),
        "gains": [str(gain) for gain in gains(differences)],
        "grants": [],
        "diff": None,
    }
