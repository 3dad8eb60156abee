"""Compares what the witnesses of logins say, and finds the sessions that nobody told of."""

import pwd
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from hostseal.core.channel import Kind
from hostseal.core.event import Event, EventType
from hostseal.core.forgery import Forgeries
from hostseal.core.session import NO_CHANNEL_AFTER_SECONDS, Known, Name, Witness, name_of
from hostseal.open_sessions import OpenSessions
from hostseal.ports import Clock, Emit
from hostseal.sensors.sshd_processes import Serving, View

LOOK_SECONDS = 60.0
FORGED = "lines in sshd's name were written by a process that is not root's sshd; they are not believed"
FOREIGN = "a user runs an sshd of his own: what is logged in to there is part of his session, and no login"

_KINDS, _WITNESSES = frozenset(map(str, Kind)), frozenset(map(str, Witness))

Look = Callable[[], View]
Logind = Callable[[], Iterable[dict[str, Any]]]


class Witnesses:
    """Puts PAM's word beside the journal's, logind's and the kernel's, and reports where they do not fit."""

    def __init__(self, emit: Emit, sessions: OpenSessions, clock: Clock, look: Look, logind: Logind) -> None:
        self._emit, self._sessions, self._clock = emit, sessions, clock
        self._look, self._logind = look, logind
        self._lock = threading.Lock()
        self._forgeries = Forgeries()
        self._foreign: frozenset[int] = frozenset()
        self._next_look = clock.monotonic() + LOOK_SECONDS

    def begin(
        self, openings: Iterable[Event], channels: Iterable[Event], suspects: Iterable[Event]
    ) -> list[Mapping[str, Any]]:
        """Find and return the sessions that are open; those not in the record began before the agent, or while it was down.

        `openings` and `channels` are in the record, `suspects` the openings by which the host is suspect, all of this boot.
        Channels are awaited of those sessions that are open or make the host suspect.
        """
        channels, suspects, view = [*filter(_understood, channels)], list(suspects), self._look()
        told = _told(openings, channels)
        found = [(name_of(data), data, serving) for data, serving in self._found(view)]
        awaited = [*(name for name, _, _ in found), *(name_of(event.data) for event in suspects)]
        for name, data in told.items():
            # Without an audit session a pid that is used again would pass for it.
            if name.audit is not None and not any(_same(name, other) for other in awaited):
                self._sessions.ended(data)
        here, news = [], []
        for name, data, serving in found:
            known = next((said for other, said in reversed(told.items()) if _same(name, other)), None)
            here.append(data if known is None else known)
            self._sessions.restored(here[-1])
            if known is None:
                news.append((data, serving))
        for event in suspects:
            self._sessions.restored(event.data)
        for event in channels:
            self._recall(event.data)
        for data, serving in news:
            self._open(data, serving)
        self._strangers(view)
        return here

    def _recall(self, channel: Mapping[str, Any]) -> None:
        """Note a channel that is in the record."""
        name = name_of(channel["session"])
        known = self._sessions.known(name)
        if known is not None and (name.audit is not None or name.client == known.name.client):
            self._sessions.channel(name, channel["number"], Kind(channel["kind"]))

    def report(self) -> float | None:
        """Report what is due; return the seconds until the next may be, None when nothing is waited for."""
        if silent := self._sessions.silent():
            view = self._look()
            for known in silent:
                self._silent(known, view.of(known.name.leader))
        for known in self._sessions.disagreeing():
            self._disagree(known)
        with self._lock:
            self._forgeries, over = self._forgeries.due(self._clock.monotonic())
        self._forged(over)
        if self._clock.monotonic() >= self._next_look:
            self.look()
        return self._sessions.due_in()

    def end(self) -> None:
        """Report what would have been reported once its minute is over."""
        with self._lock:
            rest, self._forgeries = self._forgeries.rest(), Forgeries()
        self._forged(rest)

    def look(self) -> None:
        """Ask logind and the kernel for what the other witnesses may have missed."""
        self._next_look = self._clock.monotonic() + LOOK_SECONDS
        view = self._look()
        for data, serving in self._found(view):
            self._sessions.opened(data)
            known = self._sessions.known(name_of(data))
            # That there is no channel is told by the time that passes, and one that has just begun by the journal.
            if serving is None or (serving.kind is Kind.FORWARD and (known is None or known.awaited)):
                continue
            if known is not None and known.since + NO_CHANNEL_AFTER_SECONDS <= self._clock.monotonic():
                self._classify(known, serving)
        self._strangers(view)

    def serving(self) -> tuple[Serving, ...]:
        """Return the sessions that root's sshd serves now, as the kernel shows them."""
        return self._look().sessions

    def forged(self, uid: int, key: str) -> None:
        """Take one line in sshd's name by a process that is not root's sshd; `key` names the line."""
        with self._lock:
            self._forgeries, count = self._forgeries.seen(uid, self._clock.monotonic())
        if count:
            self._unbelieved(uid, FORGED, count, f"forged:{key}")

    def _found(self, view: View) -> Iterator[tuple[dict[str, Any], Serving | None]]:
        named = set()
        for data in self._logind():
            serving = view.of(data["leader_pid"])
            named.add(data["leader_pid"])
            yield ({**data, "login_uid": serving.login_uid} if serving else data), serving
        for serving in view.sessions:
            if serving.leader not in named:
                yield _data(serving), serving

    def _open(self, data: Mapping[str, Any], serving: Serving | None) -> None:
        began = serving.started if serving is not None else 0
        which = data["audit_session"] or f"{data['leader_pid']}:{began}"
        self._emit(EventType.SESSION_OPENED, data, sensor="found", key=f"found:{which}")
        known = self._sessions.known(name_of(data))
        if known is not None:
            self._classify(known, serving)

    def _classify(self, known: Known, serving: Serving | None) -> None:
        if serving is None or known.data is None or not self._sessions.news(known.name, serving.kind):
            return
        self._channel(known, serving.kind, serving.pty, key=f"kernel:{_label(known.name)}:{serving.kind}")

    def _silent(self, known: Known, serving: Serving | None) -> None:
        """Tell a session without a channel from one whose channels were not heard of: sshd's title has it."""
        if serving is None and not known.detailed:
            self._sessions.given_up(known.name)
            return
        kind, pty = (serving.kind, serving.pty) if serving else (Kind.FORWARD, None)
        self._channel(known, kind, pty, key=f"no-channel:{_label(known.name)}")

    def _channel(self, known: Known, kind: Kind, pty: str | None, *, key: str) -> None:
        data = {
            "session": known.data,
            "user": known.user,
            "source": known.source,
            "kind": kind,
            "subsystem": "sftp" if kind is Kind.SFTP else None,
            "pty": pty,
            "confidence": "inferred",
            "number": None,
        }
        self._emit(EventType.SESSION_CHANNEL, data, sensor="pam", key=key)
        self._sessions.channel(known.name, None, kind)

    def _disagree(self, known: Known) -> None:
        missing = known.missing
        if missing is None:
            return
        if missing is Witness.PAM and known.data is not None:
            self._open(known.data, self._look().of(known.name.leader))
        data = {
            "session": known.data,
            "user": known.user,
            "source": known.source,
            "seen_by": sorted(known.heard or known.seen_by),
            "missing": [missing],
            "why": known.disagreement,
            "count": 1,
        }
        self._emit(
            EventType.WITNESSES_DISAGREE, data, sensor="witnesses", key=f"{missing}:{_label(known.name)}"
        )
        self._sessions.settled(known.name)

    def _forged(self, counts: Mapping[int, int]) -> None:
        for uid, count in counts.items():
            self._unbelieved(uid, FORGED, count, f"forged:{uid}:{self._clock.now().isoformat()}")

    def _strangers(self, view: View) -> None:
        new = [(uid, pid) for uid, pid in view.foreign if pid not in self._foreign]
        self._foreign = frozenset(pid for _, pid in view.foreign)
        for uid in sorted({uid for uid, _ in new}):
            pids = [pid for other, pid in new if other == uid]
            self._unbelieved(uid, FOREIGN, len(pids), f"foreign:{uid}:{pids[0]}", seen_by=Witness.PROCESSES)

    def _unbelieved(
        self, uid: int, why: str, count: int, key: str, *, seen_by: Witness = Witness.JOURNAL
    ) -> None:
        data = {
            "session": None,
            "user": _user(uid),
            "source": None,
            "seen_by": [seen_by],
            "missing": [Witness.SSHD],
            "why": why,
            "count": count,
        }
        self._emit(EventType.WITNESSES_DISAGREE, data, sensor="witnesses", key=key)


def _understood(channel: Event) -> bool:
    """Tell whether a channel in the record is of a session, and says nothing that only another version knows."""
    session = channel.data["session"]
    return session is not None and channel.data["kind"] in _KINDS and session["seen_by"] in _WITNESSES


def _told(openings: Iterable[Event], channels: Iterable[Event]) -> dict[Name, Mapping[str, Any]]:
    """Return the sessions in the record: of several that a name fits, the one that was told of last comes last.

    Of one that the hook let in while the agent did not answer there is no opening: its channels tell what the hook said.
    """
    told: dict[Name, Mapping[str, Any]] = {
        name_of(e.data): e.data for e in openings if e.data["seen_by"] in _WITNESSES
    }
    for data in (event.data["session"] for event in channels):
        if data["seen_by"] == Witness.PAM:
            told.setdefault(name_of(data), data)
    return told


def _data(serving: Serving) -> dict[str, Any]:
    return {
        "user": serving.user,
        "service": "sshd",
        "source": None,
        "connection": None,
        "audit_session": serving.audit_session,
        "login_uid": serving.login_uid,
        "logind_session": None,
        "key": None,
        "leader_pid": serving.leader,
        "seen_by": "processes",
    }


def _same(name: Name, other: Name) -> bool:
    if name.audit is not None and other.audit is not None:
        return name.audit == other.audit
    return name.leader is not None and name.leader == other.leader


def _label(name: Name) -> str:
    return str(name.audit) if name.audit is not None else f"{name.leader}:{name.client}"


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
