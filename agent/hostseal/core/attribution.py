"""Who wrote: from what /proc said of a process to a writer, and how far that can be trusted."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from hostseal.core.roles import NONE, Given, Process, Role, role_of
from hostseal.core.units import Unit
from hostseal.ports import RawChange

_ACTION = re.compile(
    r"/system\.slice/(?:system-hostseal\\x2daction\.slice/)?"
    r"hostseal-(?:action|terminate)@([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.service(?:/.*)?",
)


class Confidence(StrEnum):
    """How sure an attribution is; the order of the members is from weak to strong."""

    UNKNOWN = "unknown"
    INFERRED = "inferred"
    EXACT = "exact"


class Proof(StrEnum):
    """Where facts of a process come from.

    `alive`: by its pidfd it still had its pid before and after /proc was read: the facts are of the very
    process that wrote.
    `joined`: a record made earlier under the same pid, by an exec or by an earlier change.
    """

    ALIVE = "alive"
    JOINED = "joined"


class WriterKind(StrEnum):
    """What a change set is laid to."""

    SESSION = "session"
    EXECUTABLE = "executable"
    ACTION = "action"
    UNKNOWN = "unknown"


class Transient(msgspec.Struct, frozen=True):
    """The file of a unit that was made at run time, and when it was, in seconds since boot."""

    path: str
    made: float


class ProcessFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What /proc said of a process; None is "could not be read" or, for the audit ids, "not set".

    `cgroup` is relative to the parent of PID 1's own, `unit` is what systemd calls it, `proves` whether its file
    is on disk and no login lies in between; one that was made at run time is `transient`. `line` is the process and, in a service, those above it in the same unit, the nearest first; `began` is
    when the last of them started, `start` when itself did, in seconds since boot.
    """

    pid: int
    proof: Proof
    exe: str | None = None
    uid: int | None = None
    audit_session: int | None = None
    login_uid: int | None = None
    cgroup: str | None = None
    unit: Unit | None = None
    proves: bool = False
    transient: Transient | None = None
    line: tuple[Process, ...] = ()
    start: float | None = None
    began: float | None = None
    given: Given = NONE

    def may_be(self, other: "ProcessFacts") -> bool:
        """Tell whether these may be facts of the same process: a pid is given again, but not with the same start."""
        return self.pid == other.pid and (
            self.start is None or other.start is None or self.start == other.start
        )


class TracedChange(RawChange, frozen=True, kw_only=True):
    """A raw change with what is known of the process that made it."""

    process: ProcessFacts | None = None


class WriterKey(msgspec.Struct, frozen=True):
    """Tells writers apart: one change set each. `name` is the audit session, the unit's id or the executable.

    `via` names what was laid, if the change is tied to a session only through that.
    """

    kind: WriterKind
    name: str = ""
    uid: int | None = None
    unit: str | None = None
    role: Role | None = None
    via: str | None = None


class Writer(msgspec.Struct, frozen=True, kw_only=True):
    """The `writer` of a `files.changed` event."""

    kind: WriterKind
    session: Mapping[str, Any] | None = None
    exe: str | None = None
    pid: int | None = None
    uid: int | None = None
    action: str | None = None
    unit: str | None = None
    role: str | None = None
    via: Mapping[str, Any] | None = None


_T = TypeVar("_T")
UNKNOWN = WriterKey(WriterKind.UNKNOWN)


def action_of(cgroup: str | None) -> str | None:
    """Return the id of the action unit whose cgroup this is (law 10), None for any other.

    Only a unit of the system manager counts: anyone may name a unit of his own manager like this.
    """
    found = _ACTION.fullmatch(cgroup or "")
    return found[1] if found else None


def executing(facts: ProcessFacts, exe: str) -> ProcessFacts:
    """Return the facts of a process from the moment on that it executes `exe`, the host's own file of that name."""
    own = Process(pid=facts.pid, exe=exe, uid=facts.uid, genuine=True)
    return with_role(replace(facts, exe=exe, line=(own, *facts.line[1:])))


def with_role(facts: ProcessFacts) -> ProcessFacts:
    """Return the facts with the role that follows from them."""
    action = action_of(facts.cgroup) is not None
    return replace(facts, given=role_of(facts.line, facts.unit, proves=facts.proves, action=action))


def key_of(facts: ProcessFacts | None, *, in_session: bool, via: str | None = None) -> WriterKey:
    """Return to whom a change belongs: an action's unit, else an SSH session, else an executable.

    `in_session` tells whether the audit session is an SSH session the agent knows of; one that is not (console,
    cron, a session that began before the agent) is laid to its executable. `via` counts for an executable only:
    who is known needs no tie.
    """
    if facts is None:
        return UNKNOWN
    if action := action_of(facts.cgroup):
        return WriterKey(WriterKind.ACTION, action)
    if in_session and facts.audit_session is not None:
        return WriterKey(WriterKind.SESSION, str(facts.audit_session))
    if facts.exe is not None:
        unit = None if facts.unit is None else facts.unit.name
        return WriterKey(WriterKind.EXECUTABLE, facts.exe, facts.uid, unit, facts.given.role, via)
    return UNKNOWN


def confidence_of(key: WriterKey, facts: ProcessFacts | None) -> Confidence:
    """Return how far it can be trusted that `key` wrote, in its role; what is tied through something laid is inferred."""
    if facts is None or key == UNKNOWN:
        return Confidence.UNKNOWN
    sure = key.via is None and (facts.given.sure or key.kind is not WriterKind.EXECUTABLE)
    return Confidence.EXACT if facts.proof is Proof.ALIVE and sure else Confidence.INFERRED


def weakest(confidences: Iterable[Confidence]) -> Confidence:
    """Return the weakest: a change set is as sure as the least sure of its changes."""
    order = list(Confidence)
    return min(confidences, key=order.index, default=Confidence.UNKNOWN)


class Agreement:
    """The executable, pid, uid, unit and role of a change set's processes, each as long as all have the same."""

    __slots__ = ("_exes", "_pids", "_roles", "_uids", "_units")

    def __init__(self) -> None:
        self._exes: set[str | None] = set()
        self._pids: set[int | None] = set()
        self._uids: set[int | None] = set()
        self._units: set[str | None] = set()
        self._roles: set[Role | None] = set()

    def add(self, facts: ProcessFacts) -> None:
        """Take one process; two different values are all that is ever kept of each."""
        _add(self._exes, facts.exe)
        _add(self._pids, facts.pid)
        _add(self._uids, facts.uid)
        _add(self._units, None if facts.unit is None else facts.unit.name)
        _add(self._roles, facts.given.role)

    def writer(self, key: WriterKey) -> Writer:
        """Return the writer, but for the session."""
        return Writer(
            kind=key.kind,
            exe=_only(self._exes),
            pid=_only(self._pids),
            uid=_only(self._uids),
            unit=_only(self._units),
            role=_only(self._roles),
            action=key.name if key.kind is WriterKind.ACTION else None,
        )


def _add(values: set[_T | None], value: _T | None) -> None:
    if len(values) <= 1:
        values.add(value)


def _only(values: set[_T | None]) -> _T | None:
    return next(iter(values)) if len(values) == 1 else None
