"""In what a path differs from what the seal says of it."""

import os
from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec

from hostseal.core.seal import Entry, Kind, Personal, rank
from hostseal.core.trees import Position, Trees

_NEVER = 0o6022  # what no personal path may have: writable by group or others, set-user-id, set-group-id


class Change(StrEnum):
    """In what a path differs."""

    MISSING = "missing"
    ADDED = "added"
    KIND = "kind"
    OWNER = "owner"
    MODE = "mode"
    CONTENT = "content"
    TARGET = "target"
    XATTRS = "xattrs"
    UNSAFE = "unsafe"
    UNREADABLE = "unreadable"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One path (as in the manifest), in what it differs, what the manifest says and what is there."""

    path: str
    change: Change
    sealed: str = ""
    found: str = ""


class Own:
    """The paths that are each host's own."""

    def __init__(self, personal: Iterable[Personal]) -> None:
        """Take a manifest's list; the first that matches a path holds."""
        self._personal = tuple((own, Trees([os.fsencode(own.glob)])) for own in personal)

    def find(self, path: bytes) -> Personal | None:
        """Return why a path is the host's own, None if it is not."""
        return next((own for own, trees in self._personal if trees.position(path) is Position.INSIDE), None)


def differences(sealed: Entry | None, now: Entry | None, own: Personal | None) -> list[Difference]:
    """Return in what one path differs; none means that it is as the seal says. `own`: it is the host's, and why."""
    if sealed is None:
        return [] if now is None else _added(now, own)
    if now is None:
        return [Difference(path=sealed.path, change=Change.MISSING, sealed=sealed.kind)]
    return _changed(sealed, now, own)


def between(old: Iterable[Entry], new: Iterable[Entry]) -> Iterator[Difference]:
    """Yield in what two lists of entries differ, both in a manifest's order. Sizes and packages are not compared."""
    left, right = iter(old), iter(new)
    was, now = next(left, None), next(right, None)
    while was is not None or now is not None:
        a = None if was is None else rank(was.raw_path)
        b = None if now is None else rank(now.raw_path)
        behind = b is None or (a is not None and a < b)
        ahead = a is None or (b is not None and b < a)
        if behind:
            yield from differences(was, None, None)
        elif ahead:
            yield from differences(None, now, None)
        else:
            yield from differences(was, now, None)
        if not ahead:
            was = next(left, None)
        if not behind:
            now = next(right, None)


def _added(now: Entry, own: Personal | None) -> list[Difference]:
    if own is None:
        return [Difference(path=now.path, change=Change.ADDED, found=now.kind)]
    safe = (
        now.kind in {Kind.FILE, Kind.DIRECTORY}
        and not int(now.mode, 8) & _NEVER
        and (now.uid == 0 or own.owner == "any")
        and all(name.startswith("user.") for name in now.xattrs)
    )
    said = f"{now.kind} {now.mode} {now.uid}:{now.gid}"
    if now.xattrs:
        said += f" {attributes(now)}"
    return [] if safe else [Difference(path=now.path, change=Change.UNSAFE, sealed=own.reason, found=said)]


def _changed(sealed: Entry, now: Entry, own: Personal | None) -> list[Difference]:
    if now.kind is not sealed.kind:
        return [Difference(path=now.path, change=Change.KIND, sealed=sealed.kind, found=now.kind)]
    pairs = [(Change.OWNER, f"{sealed.uid}:{sealed.gid}", f"{now.uid}:{now.gid}")]
    if sealed.kind is not Kind.LINK:
        pairs.append((Change.MODE, sealed.mode, now.mode))
    if own is None:
        pairs += [(Change.CONTENT, sealed.sha256, now.sha256), (Change.TARGET, sealed.target, now.target)]
    pairs.append((Change.XATTRS, attributes(sealed), attributes(now)))
    return [
        Difference(path=now.path, change=change, sealed=was, found=is_)
        for change, was, is_ in pairs
        if was != is_
    ]


def attributes(entry: Entry) -> str:
    """Return an entry's extended attributes in one line, in the order of their names; a dash when it has none."""
    return " ".join(f"{name}={value}" for name, value in sorted(entry.xattrs.items())) or "-"
