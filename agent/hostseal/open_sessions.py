"""The table of SSH sessions, shared by the sensors: a lock around the pure values of :mod:`hostseal.core.session`."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from hostseal.core.channel import Kind
from hostseal.core.event import Event
from hostseal.core.session import Known, Name, Sessions, name_of
from hostseal.core.sshd_lines import Admitted
from hostseal.core.standing import Suspicion
from hostseal.ports import Clock
from hostseal.responses import OpenSshSessions
from hostseal.spool.sqlite import SqliteSpool


class OpenSessions:
    """What the witnesses have said so far of this boot's sessions."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._table = Sessions()
        self.changed = threading.Event()

    def opened(self, data: Mapping[str, Any]) -> None:
        """Note a session that PAM, logind or the kernel shows; `data` is that of `session.opened`."""
        self._change(lambda table, now: table.opened(data, now))
        self.changed.set()

    def restored(self, data: Mapping[str, Any]) -> None:
        """Note a session that is in the record already: its witnesses are not compared."""
        self._change(lambda table, now: table.opened(data, now, settled=True))

    def ended(self, data: Mapping[str, Any]) -> None:
        """Note a session that is in the record and open no more: its lines may be read again, and nothing is awaited."""
        self.restored(data)
        self._change(
            lambda table, now: table.awaiting(name_of(data), awaited=False).closed(name_of(data), now)
        )

    def late(self, data: Mapping[str, Any]) -> None:
        """Note a session that the hook let in by itself: whatever the gate said of it later, it goes on."""
        self.opened(data)
        self._change(lambda table, _: table.awaiting(name_of(data), awaited=True))

    def witnessed(self, admitted: Admitted) -> None:
        """Note a session that sshd's lines name."""
        name = Name(leader=admitted.leader, client=client(admitted.source, admitted.port))
        self._change(
            lambda table, now: table.witnessed(
                name, admitted.user, admitted.source, now, detailed=admitted.detailed
            )
        )

    def channel(self, name: Name, number: int | None, kind: Kind) -> None:
        """Note that a channel was seen; `number` is None where it is not known which."""
        self._change(lambda table, now: table.channel(name, number, kind, now))

    def closed(self, data: Mapping[str, Any]) -> None:
        """Note a session's end; `data` is that of `session.closed`."""
        self._change(lambda table, now: table.closed(name_of(data), now))
        self.changed.set()

    def refused(self, data: Mapping[str, Any]) -> None:
        """Note that the gate has refused a session: no witness is missed, and that it has no channel is no news.

        But where the kernel keeps no audit: there the refusal names no session, and this is what lifts its suspicion.
        """
        name = name_of(data)
        if name.audit is not None:
            self._change(lambda table, _: table.awaiting(name, awaited=False))
        self.settled(name)
        self.closed(data)

    def given_up(self, name: Name) -> None:
        """Note that no channel of a session is waited for until somebody tells of it again."""
        self._change(lambda table, _: table.given_up(name))

    def settled(self, *names: Name) -> None:
        """Note that the witnesses of these sessions have been compared, or cannot be."""
        self._change(lambda table, _: table.settled(names))

    def data(self, audit: int) -> Mapping[str, Any] | None:
        """Return what was said of the session with this audit id."""
        with self._lock:
            return self._table.data(audit)

    def known(self, name: Name) -> Known | None:
        """Return all that is known of a session."""
        with self._lock:
            return self._table.get(name)

    def news(self, name: Name, kind: Kind) -> bool:
        """Tell whether this says more than is known of any of the session's channels."""
        with self._lock:
            return self._table.news(name, None, kind)

    def all(self) -> tuple[Known, ...]:
        """Return every session that is known."""
        with self._lock:
            return tuple(self._table.rows.values())

    def silent(self) -> tuple[Known, ...]:
        """Return the sessions that should have shown a channel by now."""
        with self._lock:
            return self._table.silent(self._clock.monotonic())

    def disagreeing(self) -> tuple[Known, ...]:
        """Return the sessions that a witness should have confirmed by now."""
        with self._lock:
            return self._table.disagreeing(self._clock.monotonic())

    def due_in(self) -> float | None:
        """Return the seconds until :meth:`silent` or :meth:`disagreeing` may name one, None when nothing is awaited."""
        with self._lock:
            due = self._table.next_due()
        return None if due is None else max(0.05, due - self._clock.monotonic())

    def _change(self, step: Callable[[Sessions, float], Sessions]) -> None:
        with self._lock:
            self._table = step(self._table, self._clock.monotonic())


def client(source: str | None, port: int | None) -> str | None:
    """Return a client's address and port as one name, None where either is not known."""
    return None if source is None or port is None else f"{source} {port}"


def known_to(sessions: OpenSessions, opened: OpenSshSessions) -> OpenSshSessions:
    """Return the open sessions as the hook told of them, for logind knows no keys."""

    def look() -> Iterator[dict[str, Any]]:
        for session in opened():
            yield dict(sessions.data(session["audit_session"]) or session)

    return look


def suspect_by(spool: SqliteSpool, boot: str, suspicions: Iterable[Suspicion]) -> list[Event]:
    """Return a boot's openings by which the host is suspect."""
    tasks = [spool.task(suspicion.event) for suspicion in suspicions]
    return [task.event for task in tasks if task is not None and task.event.host.boot_id == boot]
