"""A bounded set of directories to look into: one above another takes its place, and too many become fewer, wider ones."""

import os
from collections.abc import Iterable

WHOLE = (b"/",)
LIMIT = 32


def under(path: bytes, top: bytes) -> bool:
    """Tell whether `path` is `top` or below it."""
    return path == top or path.startswith(top if top.endswith(b"/") else top + b"/")


def covers(wide: Iterable[bytes], narrow: Iterable[bytes]) -> bool:
    """Tell whether every path of `narrow` is below one of `wide`."""
    tops = tuple(wide)
    return all(any(under(path, top) for top in tops) for path in narrow)


def merged(*scopes: Iterable[bytes], limit: int = LIMIT) -> tuple[bytes, ...]:
    """Return the fewest paths that cover all of the scopes, sorted; beyond `limit` the deepest give way to what is above them."""
    found = _topmost({path for scope in scopes for path in scope})
    while len(found) > limit:
        depth = max(path.count(b"/") for path in found)
        found = _topmost({os.path.dirname(p) if p.count(b"/") == depth else p for p in found})
    return tuple(sorted(found))


def _topmost(paths: set[bytes]) -> set[bytes]:
    kept: set[bytes] = set()
    for path in sorted(paths, key=len):
        if path == b"/":
            return {b"/"}
        above = path
        while (above := os.path.dirname(above)) != b"/" and above not in kept:
            pass
        if above == b"/":
            kept.add(path)
    return kept
