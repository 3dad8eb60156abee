"""Which classes of files that change by design the changes on record suggest, and what no class may ever be of. Pure."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from hostseal.core.change_set import What
from hostseal.core.persistence import artefact_of
from hostseal.core.trees import Position, Trees

_COUNTED = frozenset({"broken", "unsealed"})
_MORE_THAN_CONTENT = frozenset({"kind", "owner", "mode", "xattrs", "unsafe", "target"})
_RUNS = 0o111
_PRIVILEGED = 0o6000
_TEMPORARY = re.compile(r"\d{2,}")
_OWN_NAME = 4
# What is run, or says who may what; whoever writes there owns the host sooner or later.
_NEVER = Trees(
    [
        b"/usr", b"/boot", b"/opt", b"/root", b"/home", b"/bin", b"/sbin", b"/lib*", b"/var/spool/cron", b"/etc/*.d",
        b"/etc/alternatives", b"/etc/apt", b"/etc/bash*", b"/etc/ca-certificates*", b"/etc/cron*", b"/etc/crypttab",
        b"/etc/dbus-1", b"/etc/default", b"/etc/dhcp", b"/etc/doas*", b"/etc/environment", b"/etc/fstab", b"/etc/group*",
        b"/etc/gshadow*", b"/etc/hostseal", b"/etc/hosts.*", b"/etc/init*", b"/etc/inittab", b"/etc/kernel",
        b"/etc/ld.so*", b"/etc/logrotate*", b"/etc/modules*", b"/etc/network", b"/etc/NetworkManager", b"/etc/nss*",
        b"/etc/pam*", b"/etc/passwd*", b"/etc/polkit-1", b"/etc/profile*", b"/etc/rc*", b"/etc/security", b"/etc/shadow*",
        b"/etc/shells", b"/etc/skel", b"/etc/ssh", b"/etc/ssl", b"/etc/sub?id*", b"/etc/sudo*", b"/etc/sysctl*",
        b"/etc/systemd", b"/etc/udev", b"/etc/xdg", b"/etc/zsh*",
    ]
)  # fmt: skip


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to one path by one writer: how often, and in words by whom."""

    path: str
    times: int
    writer: str


class Refused(Seen, frozen=True, kw_only=True):
    """A path that is not proposed, and why."""

    why: str


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A class that a person may take over once there is a reason. `events` is of change sets, `times` of changes in them."""

    name: str
    paths: tuple[str, ...]
    what: tuple[What, ...]
    units: tuple[str, ...]
    programs: tuple[str, ...]
    events: int
    times: int
    first: str
    last: str


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """What is proposed, what is not, and how many of the change sets did not name all of their paths."""

    proposals: tuple[Proposal, ...]
    refused: tuple[Refused, ...]
    truncated: int


class _Unit:
    """What one unit did to files that may change by design."""

    def __init__(self) -> None:
        self.paths: Counter[str] = Counter()
        self.what: set[str] = set()
        self.programs: set[str] = set()
        self.sets: list[tuple[str, str]] = []


def propose(changes: Iterable[Mapping[str, Any]], modes: Mapping[str, int | None]) -> Lesson:
    """Return what the data of `files.changed` events suggests.

    `modes` are the permission bits of the paths that are there now. A class is proposed for a unit's changes only: a
    session's are somebody's, and without a unit nothing tells one writer from another.
    """
    units: dict[str, _Unit] = {}
    refused: Counter[tuple[str, str, str]] = Counter()
    truncated = 0
    for data in changes:
        truncated += bool(data["truncated"])
        unit = data["writer"].get("unit") or ""
        mine: list[Mapping[str, Any]] = []
        for path in data["paths"]:
            if path.get("seal") not in _COUNTED:
                continue
            why = _writer_refused(data) or _path_refused(path, modes.get(path["path"]))
            if why is None:
                mine.append(path)
            else:
                refused[path["path"], _named(data["writer"]), why] += 1
        if mine:
            units.setdefault(unit, _Unit())
            _learn(units[unit], mine, data)
    return Lesson(
        proposals=tuple(_proposal(unit, one, modes) for unit, one in sorted(units.items())),
        refused=tuple(
            Refused(path=path, times=times, writer=writer, why=why)
            for (path, writer, why), times in sorted(refused.items())
        ),
        truncated=truncated,
    )


def _learn(unit: _Unit, paths: list[Mapping[str, Any]], data: Mapping[str, Any]) -> None:
    unit.sets.append((data["first"], data["last"]))
    unit.programs.add(_named(data["writer"]))
    for path in paths:
        unit.paths[path["path"]] += 1
        unit.what |= set(path["what"])


def _writer_refused(data: Mapping[str, Any]) -> str | None:
    writer = data["writer"]
    if writer["kind"] == "session":
        return "a session changed it: that is somebody's doing, not the system's"
    if writer.get("via"):
        return "something that a session had laid changed it"
    if writer["kind"] != "executable" or data["confidence"] == "unknown":
        return "who changed it is not known"
    if not (writer.get("unit") or "").endswith(".service"):
        return "no service changed it, so a class would be open to everybody"
    return None


def _path_refused(path: Mapping[str, Any], mode: int | None) -> str | None:
    raw = os.fsencode(path["path"])
    if path.get("raw") is not None:
        return "its name is not text"
    if path.get("lays") or artefact_of(raw) is not None:
        return "what starts again, or lets somebody in, is never by design"
    if _NEVER.position(raw) is Position.INSIDE:
        return "what is run, or says who may what, is never by design"
    if mode is not None and mode & (_RUNS | _PRIVILEGED):
        return "it can be executed"
    if more := _MORE_THAN_CONTENT & set(path["differs"]):
        return f"more than its content changed: {', '.join(sorted(more))}"
    return None


def _proposal(unit: str, one: _Unit, modes: Mapping[str, int | None]) -> Proposal:
    return Proposal(
        name=re.sub(r"[^a-z0-9]+", "_", unit.removesuffix(".service").lower()).strip("_"),
        paths=tuple(sorted({_glob(path, gone=modes.get(path) is None) for path in one.paths})),
        what=tuple(what for what in What if what.value in one.what),
        units=(re.sub(r"@.+\.service$", "@*.service", unit),),
        programs=tuple(sorted(one.programs)),
        events=len(one.sets),
        times=sum(one.paths.values()),
        first=min(first for first, _ in one.sets),
        last=max(last for _, last in one.sets),
    )


def _glob(path: str, *, gone: bool) -> str:
    """Return a glob of exactly this path; of one that is gone, its numbers may be others next time.

    What is left of the name has to say whose it is.
    """
    folder, name = os.path.split(re.sub(r"([*?\[])", r"[\1]", path))
    wide = _TEMPORARY.sub("*", name)
    return f"{folder}/{wide if gone and len(wide.partition('*')[0]) >= _OWN_NAME else name}"


def _named(writer: Mapping[str, Any]) -> str:
    session = (writer.get("session") or {}).get("user")
    return str(session or writer.get("exe") or writer.get("action") or "unknown")
