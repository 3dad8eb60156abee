"""A host's standing: sealed, suspect or flagged, and why. Pure; every change returns a new value."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from hostseal.core import history
from hostseal.core.decision import Action, Decision
from hostseal.core.event import Event, EventType, timestamp
from hostseal.core.ids import incident_id

EVIDENCE_KEPT = 100
PARDONS_KEPT = 50
JUDGED_KEPT = 256
_MOVING = {
    EventType.SESSION_OPENED,
    EventType.SESSION_CHANNEL,
    EventType.FLAG_PARDONED,
    EventType.LOCKDOWN_RELEASED,
}


class State(StrEnum):
    """The standing in one word."""

    SEALED = "sealed"
    SUSPECT = "suspect"
    FLAGGED = "flagged"


class Suspicion(msgspec.Struct, frozen=True, kw_only=True):
    """A person's connection of which it is not known yet whether it is interactive."""

    session: str
    event: str
    since: str
    user: str
    source: str | None = None
    fingerprint: str | None = None


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """What one flag is about. `events` holds the first ids of its evidence, `evidence` how many there are."""

    id: str
    opened: str
    events: tuple[str, ...]
    evidence: int
    reasons: tuple[str, ...]
    deadline: str | None = None


class Pardon(msgspec.Struct, frozen=True, kw_only=True):
    """A flag that was taken back, by whom and why."""

    incident: str
    person: str
    reason: str
    nonce: str
    time: str
    events: tuple[str, ...] = ()


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The host's standing with all that it rests on.

    `judged` names the last sessions of which a channel was judged: witnesses need not come in their order, and an
    opening that arrives after that raises no suspicion, for nothing would lift it. `recent` is what rules know of the
    host's past: core/history.py.
    """

    suspicions: tuple[Suspicion, ...] = ()
    incident: Incident | None = None
    pardons: tuple[Pardon, ...] = ()
    judged: tuple[str, ...] = ()
    recent: tuple[history.Found, ...] = ()
    seq: int = 0

    @property
    def state(self) -> State:
        """Return the standing in one word; a flag outweighs a suspicion."""
        if self.incident is not None:
            return State.FLAGGED
        return State.SUSPECT if self.suspicions else State.SEALED


def question(standing: Standing, event: Event) -> dict[str, Any]:
    """Return the standing as the policy is asked about the event under it."""
    return {
        "state": str(standing.state),
        "incident": standing.incident.id if standing.incident else None,
        "recent": [msgspec.to_builtins(one) for one in history.before(standing.recent, event)],
    }


def session_key(event: Event) -> str:
    """Return the name of the SSH session an event belongs to, unique over boots.

    Where the kernel keeps no audit, it is the connection's process with the client's address and port.
    """
    if event.audit_session is not None:
        return f"{event.host.boot_id}:{event.audit_session}"
    session = (event.data.get("session") if event.type is EventType.SESSION_CHANNEL else event.data) or {}
    client = " ".join(str(session.get("connection") or "").split()[:2])
    return f"{event.host.boot_id}:{session.get('leader_pid')}:{client}"


def provisional(standing: Standing, event: Event) -> Standing:
    """Return the standing while the policy has not answered about an opened session: suspect (law 1)."""
    return _suspect(standing, event)


def may_move(event: Event, decision: Decision) -> bool:
    """Return whether a decision on `event` can change a standing: where it cannot, there is nothing to act on."""
    return bool(decision.actions) or event.type in _MOVING or history.counts(decision)


def decided(standing: Standing, event: Event, decision: Decision, now: datetime) -> Standing:
    """Return the standing after the policy has spoken about `event`. Applying it twice changes nothing."""
    recent = history.after(standing.recent, event, decision)
    standing = replace(standing, seq=max(standing.seq, event.seq), recent=recent)
    if event.type is EventType.FLAG_PARDONED:
        return _pardoned(standing, event)
    if event.type is EventType.SESSION_OPENED and Action.SUSPECT not in decision.actions:
        standing = _without(standing, session_key(event))
    if Action.SUSPECT in decision.actions:
        standing = _suspect(standing, event)
    if Action.LIFT in decision.actions:
        standing = _without(standing, session_key(event))
    if event.type is EventType.SESSION_CHANNEL and Action.SUSPECT not in decision.actions:
        standing = _judged(standing, session_key(event), remembered=bool(decision.actions))
    if Action.FLAG in decision.actions:
        standing = _flag(standing, event, decision, now)
    return standing


def _suspect(standing: Standing, event: Event) -> Standing:
    session = session_key(event)
    if session in standing.judged or any(known.session == session for known in standing.suspicions):
        return standing
    key = event.data.get("key") or {}
    suspicion = Suspicion(
        session=session,
        event=event.id,
        since=event.time,
        user=event.data.get("user", ""),
        source=event.data.get("source"),
        fingerprint=key.get("fingerprint"),
    )
    return replace(standing, suspicions=(*standing.suspicions, suspicion))


def _judged(standing: Standing, session: str, *, remembered: bool) -> Standing:
    without = _without(standing, session)
    if not remembered and without == standing:
        return standing
    known = tuple(s for s in standing.judged if s != session)
    return replace(without, judged=(*known, session)[-JUDGED_KEPT:])


def _without(standing: Standing, session: str) -> Standing:
    return replace(standing, suspicions=tuple(s for s in standing.suspicions if s.session != session))


def _flag(standing: Standing, event: Event, decision: Decision, now: datetime) -> Standing:
    if any(
        event.id in pardon.events or pardon.incident == incident_id(event.id) for pardon in standing.pardons
    ):
        return standing
    reasons = tuple(finding.message for finding in decision.findings)
    deadline = None
    if decision.deadline_seconds is not None:
        deadline = timestamp(now + timedelta(seconds=decision.deadline_seconds))
    known = standing.incident
    if known is None:
        opened = Incident(
            id=incident_id(event.id),
            opened=timestamp(now),
            events=(event.id,),
            evidence=1,
            reasons=reasons,
            deadline=deadline,
        )
        return replace(standing, incident=opened)
    if event.id in known.events:
        return standing
    extra = tuple(reason for reason in reasons if reason not in known.reasons)
    grown = replace(
        known,
        events=(*known.events, event.id)[:EVIDENCE_KEPT],
        evidence=known.evidence + 1,
        reasons=(*known.reasons, *extra)[:EVIDENCE_KEPT],
        deadline=min((d for d in (known.deadline, deadline) if d), default=None),
    )
    return replace(standing, incident=grown)


def _pardoned(standing: Standing, event: Event) -> Standing:
    incident = standing.incident
    if incident is None or incident.id != event.data.get("incident"):
        return standing
    pardon = Pardon(
        incident=incident.id,
        person=event.data["person"],
        reason=event.data["reason"],
        nonce=event.data["nonce"],
        time=event.time,
        events=incident.events,
    )
    return replace(standing, incident=None, pardons=(*standing.pardons, pardon)[-PARDONS_KEPT:])
