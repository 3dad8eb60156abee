"""The SSH sessions of this boot, put together from what several witnesses say of each. Pure values, bounded.

A witness names a session by what it has: the pid of the connection's root-owned process (all of them), the kernel's
audit session (not on every kernel, and not in every line), the client's address and port (PAM and sshd). Messages may
come in any order, twice, or not at all. Two names are of one session unless something both of them say differs.
"""

import math
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from hostseal.core.channel import ON_TERMINAL, Kind

NO_CHANNEL_AFTER_SECONDS = 5.0
CLOSED_GRACE_SECONDS = 1.0
WITNESS_GRACE_SECONDS = 20.0
"""More than the hook waits, ten seconds, and the agent then takes to take in what the hook has left on disk."""

KEPT = 4096


class Witness(StrEnum):
    """Who may see a session; PAM is the authority. `sshd` is missing where somebody else writes in its name."""

    PAM = "pam"
    JOURNAL = "journal"
    LOGIND = "logind"
    PROCESSES = "processes"
    SSHD = "sshd"


class Name(msgspec.Struct, frozen=True, kw_only=True):
    """What a witness calls a session. `client` is its address and port, `10.0.0.1 4022`."""

    leader: int | None = None
    audit: int | None = None
    client: str | None = None

    def differs(self, other: "Name") -> bool:
        """Tell whether the two cannot be of one session."""
        return any(
            mine is not None and theirs is not None and mine != theirs
            for mine, theirs in (
                (self.leader, other.leader),
                (self.audit, other.audit),
                (self.client, other.client),
            )
        )

    def with_(self, other: "Name") -> "Name":
        """Return what both know."""
        return Name(
            leader=other.leader if self.leader is None else self.leader,
            audit=other.audit if self.audit is None else self.audit,
            client=other.client if self.client is None else self.client,
        )


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """One session. Times are monotonic seconds; `due` is when a missing channel means that there is none.

    `detailed`: sshd writes at VERBOSE of it, so a channel would have been named. `awaited`: that it has none would be
    told. `settled`: its witnesses are no longer compared.
    """

    name: Name
    since: float
    user: str = ""
    source: str | None = None
    data: Mapping[str, Any] | None = None
    seen_by: frozenset[Witness] = frozenset()
    channels: Mapping[int | None, Kind] = {}
    due: float = math.inf
    awaited: bool = True
    closed: bool = False
    detailed: bool = False
    settled: bool = False

    @property
    def lacks_channel(self) -> bool:
        """Tell whether somebody opened it and no channel of it was seen, though one is awaited."""
        return self.awaited and self.data is not None and not self.channels

    @property
    def strongest(self) -> Kind | None:
        """Return the strongest of its channels."""
        return max(self.channels.values(), key=list(Kind).index, default=None)

    @property
    def heard(self) -> frozenset[Witness]:
        """Return who has seen the session; the journal only where its lines would name a channel."""
        named = self.detailed or any(number is not None for number in self.channels)
        return self.seen_by if named else self.seen_by - {Witness.JOURNAL}

    @property
    def missing(self) -> Witness | None:
        """Return the witness that must have seen the session and has not."""
        return next((w for w in (Witness.PAM, Witness.JOURNAL) if w not in self.heard), None)

    @property
    def disagreement(self) -> str:
        """Return in words what it means that a witness is missing."""
        if self.missing is Witness.PAM:
            return "the PAM hook has not reported a session that others have seen"
        if Witness.JOURNAL in self.seen_by:
            return "sshd's lines in the journal do not name the session's channels"
        return "the journal has no line of root's sshd about a session that the PAM hook reported"


def name_of(data: Mapping[str, Any]) -> Name:
    """Return the name in a session's data, as it stands in events."""
    connection = str(data.get("connection") or "").split()
    client = " ".join(connection[:2]) if len(connection) > 1 else None
    return Name(leader=data.get("leader_pid"), audit=data.get("audit_session"), client=client)


class Sessions(msgspec.Struct, frozen=True):
    """Sessions by a number of their own, in the order they were first seen."""

    rows: dict[int, Known] = {}
    audits: dict[int, int] = {}
    leaders: dict[int, tuple[int, ...]] = {}
    next_row: int = 0

    def find(self, name: Name) -> int | None:
        """Return the number of the session with this name, the latest where several may be meant."""
        if name.audit is not None and name.audit in self.audits:
            return self.audits[name.audit]
        candidates = self.leaders.get(name.leader, ()) if name.leader is not None else ()
        return next((row for row in reversed(candidates) if not self.rows[row].name.differs(name)), None)

    def get(self, name: Name) -> Known | None:
        """Return what is known of the session with this name."""
        row = self.find(name)
        return None if row is None else self.rows[row]

    def data(self, audit: int) -> Mapping[str, Any] | None:
        """Return what was said of the session with this audit id, None when it is not known."""
        known = self.get(Name(audit=audit))
        return None if known is None else known.data

    def opened(self, data: Mapping[str, Any], now: float, *, settled: bool = False) -> "Sessions":
        """Return the table with a session as PAM, logind or the kernel tells it; what PAM says is not overwritten."""
        witness, name = Witness(data["seen_by"]), name_of(data)
        known = self.get(name) or Known(name=name, since=now)
        kept = known.data if known.data is not None and Witness.PAM in known.seen_by else data
        return self._with(
            name,
            replace(
                known,
                user=kept["user"],
                source=kept["source"],
                data=kept,
                seen_by=known.seen_by | {witness},
                due=min(known.due, now + NO_CHANNEL_AFTER_SECONDS),
                settled=known.settled or settled,
            ),
        )

    def witnessed(
        self, name: Name, user: str, source: str | None, now: float, *, detailed: bool
    ) -> "Sessions":
        """Return the table after sshd's lines named a session."""
        known = self.get(name) or Known(name=name, since=now)
        return self._with(
            name,
            replace(
                known,
                user=known.user or user,
                source=known.source or source,
                seen_by=known.seen_by | {Witness.JOURNAL},
                detailed=known.detailed or detailed,
            ),
        )

    def news(self, name: Name, number: int | None, kind: Kind) -> bool:
        """Tell whether this classification says more than is known of the channel (number None: of the session)."""
        known = self.get(name)
        if known is None:
            return True
        if number is None and known.strongest in ON_TERMINAL and kind in ON_TERMINAL:
            return False
        return kind.outweighs(known.strongest if number is None else known.channels.get(number))

    def channel(self, name: Name, number: int | None, kind: Kind, now: float) -> "Sessions":
        """Return the table after a channel was seen; a weaker classification than the known one changes nothing.

        Only sshd's lines number a channel.
        """
        known = self.get(name) or Known(name=name, since=now)
        if number is not None:
            known = replace(known, seen_by=known.seen_by | {Witness.JOURNAL})
        if not self.news(name, number, kind):
            return self._with(name, known)
        return self._with(name, replace(known, channels={**known.channels, number: kind}))

    def closed(self, name: Name, now: float) -> "Sessions":
        """Return the table after a session's end; one without a channel is soon due."""
        known = self.get(name)
        if known is None:
            return self
        return self._with(name, replace(known, closed=True, due=min(known.due, now + CLOSED_GRACE_SECONDS)))

    def silent(self, now: float) -> tuple[Known, ...]:
        """Return the sessions that somebody opened and that are due without having shown a channel."""
        return tuple(s for s in self.rows.values() if s.lacks_channel and s.due <= now)

    def given_up(self, name: Name) -> "Sessions":
        """Return the table with a session of which no channel is waited for until somebody tells of it again."""
        known = self.get(name)
        return self if known is None else self._with(name, replace(known, due=math.inf))

    def awaiting(self, name: Name, *, awaited: bool) -> "Sessions":
        """Return the table with a session of which it is told, or never told, that it has no channel."""
        known = self.get(name)
        return self if known is None else self._with(name, replace(known, awaited=awaited))

    def disagreeing(self, now: float) -> tuple[Known, ...]:
        """Return the sessions that a witness should have confirmed by now and has not."""
        due = (s for s in self.rows.values() if not s.settled and s.since + WITNESS_GRACE_SECONDS <= now)
        return tuple(s for s in due if s.missing is not None)

    def settled(self, names: Iterable[Name]) -> "Sessions":
        """Return the table with sessions whose witnesses are no longer compared."""
        table = self
        for name in names:
            if (known := table.get(name)) is not None:
                table = table._with(name, replace(known, settled=True))
        return table

    def next_due(self) -> float | None:
        """Return when :meth:`silent` or :meth:`disagreeing` may next name a session, None when nothing is waited for."""
        silent = (s.due for s in self.rows.values() if s.lacks_channel and s.due < math.inf)
        compared = (
            s.since + WITNESS_GRACE_SECONDS
            for s in self.rows.values()
            if not s.settled and s.missing is not None
        )
        return min((*silent, *compared), default=None)

    def _with(self, name: Name, known: Known) -> "Sessions":
        row = self.find(name)
        known = replace(known, name=known.name.with_(name))
        table = Sessions(
            {**self.rows, self.next_row if row is None else row: known},
            dict(self.audits),
            dict(self.leaders),
            self.next_row + (row is None),
        )
        table._index(self.next_row if row is None else row)
        return table._within_bounds()

    def _index(self, row: int) -> None:
        name = self.rows[row].name
        if name.audit is not None:
            self.audits[name.audit] = row
        if name.leader is not None and row not in (rows := self.leaders.get(name.leader, ())):
            self.leaders[name.leader] = (*rows, row)

    def _within_bounds(self) -> "Sessions":
        if len(self.rows) <= KEPT:
            return self
        leaving = next((row for row, known in self.rows.items() if known.closed), next(iter(self.rows)))
        gone = self.rows.pop(leaving).name
        if gone.audit is not None:
            self.audits.pop(gone.audit, None)
        if gone.leader is not None:
            rest = tuple(row for row in self.leaders.get(gone.leader, ()) if row != leaving)
            self.leaders.pop(gone.leader)
            if rest:
                self.leaders[gone.leader] = rest
        return self
