"""Files that change by design: classes of paths with a reason, each for certain writers (docs/reference/by-design.md)."""

import fnmatch
import os
from collections.abc import Collection, Mapping

import msgspec

from hostseal.core.attribution import Confidence, Writer, WriterKind
from hostseal.core.change_set import What
from hostseal.core.roles import Role
from hostseal.core.seal import Personal
from hostseal.core.trees import Position, Trees


class ByDesign(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One class: why its files change, and what may happen to which of them by whom.

    `paths`: absolute globs, component by component, with what is below. None: the class is switched off.
    `what`: what may happen to them. `units`: globs of systemd's units, `roles`: kinds of programs; whoever is one of
    either may write. Neither: whoever it is may, which is a blind spot. `unseen`: so may a change that nobody saw, as
    one while the host goes down or comes up, which a scan finds.
    """

    reason: str
    paths: tuple[str, ...]
    what: tuple[What, ...] = tuple(What)
    units: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()
    unseen: bool = False


class Classes:
    """The classes in force, by name."""

    def __init__(self, classes: Mapping[str, ByDesign]) -> None:
        self._classes = {
            name: (one, Trees(map(os.fsencode, one.paths))) for name, one in classes.items() if one.paths
        }

    def of(self, path: bytes, what: Collection[What], writer: Writer, confidence: Confidence) -> str | None:
        """Return the name of the first class that has this change of the absolute `path`, None when none has."""
        for name, (one, trees) in self._classes.items():
            if (
                trees.position(path) is Position.INSIDE
                and set(what) <= set(one.what)
                and _may(one, writer, confidence)
            ):
                return name
        return None

    def unseen(self, path: bytes) -> str | None:
        """Return the name of the first class that has a difference of `path` which a scan found, None when none has."""
        for name, (one, trees) in self._classes.items():
            if one.unseen and trees.position(path) is Position.INSIDE:
                return name
        return None

    def own(self, name: str) -> Personal:
        """Return how what is there now is compared with the seal: as a host's own, so its content is not."""
        one, _ = self._classes[name]
        return Personal(glob=one.paths[0], reason=one.reason)


def _may(one: ByDesign, writer: Writer, confidence: Confidence) -> bool:
    """Tell whether the class is for this writer: never for a guess, nor for what a session did or had laid."""
    if not one.units and not one.roles:
        return True
    if confidence is Confidence.UNKNOWN or writer.kind is WriterKind.SESSION or writer.via is not None:
        return False
    unit = writer.unit or ""
    return writer.role in one.roles or any(fnmatch.fnmatchcase(unit, glob) for glob in one.units)
