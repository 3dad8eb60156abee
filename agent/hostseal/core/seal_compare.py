"""What differs between a seal's manifest and the tree that is there."""

import os
from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from hostseal.core.seal import Entry, Kind, Manifest, Personal
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
    UNSAFE = "unsafe"
    UNREADABLE = "unreadable"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One path (as in the manifest), in what it differs, what the manifest says and what is there."""

    path: str
    change: Change
    sealed: str = ""
    found: str = ""


def compare(
    manifest: Manifest, found: Iterable[Entry], unreadable: Mapping[str, str] | None = None
) -> tuple[Difference, ...]:
    """Return the differences in the order of the paths; none means that the seal is intact.

    `unreadable` says of paths that could not be read why; such a path is never taken for an intact one.
    """
    wanted = {entry.path: entry for entry in manifest.entries}
    there = {entry.path: entry for entry in found}
    unread = unreadable or {}
    personal = tuple((own, Trees([os.fsencode(own.glob)])) for own in manifest.personal)
    differences = [
        Difference(path=path, change=Change.UNREADABLE, found=why) for path, why in sorted(unread.items())
    ]
    for path in sorted({*wanted, *there} - set(unread)):
        sealed, now = wanted.get(path), there.get(path)
        own = _own(personal, (sealed or there[path]).raw_path)
        if now is None:
            differences.append(Difference(path=path, change=Change.MISSING, sealed=wanted[path].kind))
        elif sealed is None:
            differences += _added(now, own)
        else:
            differences += _changed(sealed, now, own)
    return tuple(sorted(differences, key=lambda difference: difference.path))


def _own(personal: Iterable[tuple[Personal, Trees]], path: bytes) -> Personal | None:
    return next((own for own, trees in personal if trees.position(path) is Position.INSIDE), None)


def _added(now: Entry, own: Personal | None) -> list[Difference]:
    if own is None:
        return [Difference(path=now.path, change=Change.ADDED, found=now.kind)]
    safe = (
        now.kind in {Kind.FILE, Kind.DIRECTORY}
        and not int(now.mode, 8) & _NEVER
        and (now.uid == 0 or own.owner == "any")
    )
    said = f"{now.kind} {now.mode} {now.uid}:{now.gid}"
    return [] if safe else [Difference(path=now.path, change=Change.UNSAFE, sealed=own.reason, found=said)]


def _changed(sealed: Entry, now: Entry, own: Personal | None) -> list[Difference]:
    if now.kind is not sealed.kind:
        return [Difference(path=now.path, change=Change.KIND, sealed=sealed.kind, found=now.kind)]
    pairs = [(Change.OWNER, f"{sealed.uid}:{sealed.gid}", f"{now.uid}:{now.gid}")]
    if sealed.kind is not Kind.LINK:
        pairs.append((Change.MODE, sealed.mode, now.mode))
    if own is None:
        pairs += [(Change.CONTENT, sealed.sha256, now.sha256), (Change.TARGET, sealed.target, now.target)]
    return [
        Difference(path=now.path, change=change, sealed=was, found=is_)
        for change, was, is_ in pairs
        if was != is_
    ]
