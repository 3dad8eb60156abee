"""In what a path differs from what the seal says of it."""

import os
from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec

from hostseal.core.seal import Entry, Kind, Personal, folder_rank
from hostseal.core.seal_format import Item, Listing, entry
from hostseal.core.trees import Position, Trees

_NEVER = 0o6022  # what no personal path may have: writable by group or others, set-user-id, set-group-id
_GIVES = 0o6000  # set-user-id, set-group-id
CAPABILITY = "security.capability"


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


def between(old: Iterable[Listing], new: Iterable[Listing]) -> Iterator[Difference]:
    """Yield in what two manifests differ, both as their listings come. Packages are not compared, nor is whose a path is."""
    left, right = _flat(old), _flat(new)
    was, now = next(left, None), next(right, None)
    while was is not None or now is not None:
        if now is None or (was is not None and was[0] < now[0]):
            yield from _differ(was, None)
            was = next(left, None)
        elif was is None or now[0] < was[0]:
            yield from _differ(None, now)
            now = next(right, None)
        else:
            if was[2] != now[2]:
                yield from _differ(was, now)
            was, now = next(left, None), next(right, None)


_Place = tuple[tuple[bytes, bytes], bytes, Item]


def _flat(listings: Iterable[Listing]) -> Iterator[_Place]:
    for listing in listings:
        folder, first = listing.folder, folder_rank(listing.folder)
        for item in listing.items:
            yield (first, item.name), folder, item


def _differ(was: _Place | None, now: _Place | None) -> list[Difference]:
    one, other = (None if place is None else entry(place[1], place[2]) for place in (was, now))
    return differences(one, other, None)


def _added(now: Entry, own: Personal | None) -> list[Difference]:
    if own is None:
        return [Difference(path=now.path, change=Change.ADDED, found=_shown(now))]
    safe = (
        now.kind in {Kind.FILE, Kind.DIRECTORY}
        and not int(now.mode, 8) & _NEVER
        and (now.uid == 0 or own.owner == "any")
        and all(name.startswith("user.") for name in now.xattrs)
    )
    return (
        [] if safe else [Difference(path=now.path, change=Change.UNSAFE, sealed=own.reason, found=_said(now))]
    )


def _shown(now: Entry) -> str:
    """Return what is there where nothing, or something else, should be: its kind, and all of it if it gives privileges."""
    gives = now.kind is Kind.FILE and (int(now.mode, 8) & _GIVES or CAPABILITY in now.xattrs)
    return _said(now) if gives else now.kind


def _said(now: Entry) -> str:
    said = f"{now.kind} {now.mode} {now.uid}:{now.gid}"
    return f"{said} {attributes(now)}" if now.xattrs else said


def _changed(sealed: Entry, now: Entry, own: Personal | None) -> list[Difference]:
    if now.kind is not sealed.kind:
        return [Difference(path=now.path, change=Change.KIND, sealed=sealed.kind, found=_shown(now))]
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


def attributes(of: Entry) -> str:
    """Return an entry's extended attributes in one line, in the order of their names; a dash when it has none."""
    return " ".join(f"{name}={value}" for name, value in sorted(of.xattrs.items())) or "-"
