"""The life of a host in a fleet, from its creation to its retirement. Pure: each transition returns a new value.

    sealed <-> suspect -> flagged -> replacing -> verifying -> draining -> retired
                             ^__________|____________|   (a failure before the drain)
                             '-> quarantined             (after too many of them)

A hold is an overlay: whatever the state, no replacement begins. From `draining` on there is no way back: the successor serves.
"""

from enum import StrEnum

import msgspec
from msgspec.structs import replace

from hostseal.errors import IllegalTransitionError


class State(StrEnum):
    """Where in its life a host is."""

    SEALED = "sealed"
    SUSPECT = "suspect"
    FLAGGED = "flagged"
    REPLACING = "replacing"
    VERIFYING = "verifying"
    DRAINING = "draining"
    RETIRED = "retired"
    QUARANTINED = "quarantined"


BUSY = frozenset({State.REPLACING, State.VERIFYING, State.DRAINING})
_STANDING = frozenset({State.SEALED, State.SUSPECT, State.FLAGGED})


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """One machine: the `generation` it is of in its slot, its own `id` (UUID), and the digest of the image it booted.

    `name` and `address` are the launcher's to give: they are not known before it is made.
    """

    slot: str
    generation: int
    id: str
    image: str
    name: str | None = None
    address: str | None = None

    @property
    def host(self) -> str:
        """The host's name, as the ledger and the policy's data know it once it is made."""
        return self.name or f"{self.slot}-g{self.generation}"


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """What the host is flagged for. `deadline` is RFC 3339, None for the next roll."""

    id: str
    deadline: str | None
    reasons: tuple[str, ...]


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's word that this host is not to be replaced now."""

    person: str
    reason: str
    since: str


class Replacement(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt. `token` names it in every record, `evidence` is the digest of what was kept of the old host."""

    token: str
    began: str
    successor: Instance
    evidence: str


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """A host with all that the controller knows of it.

    `attempts` counts the failed ones since the flag; `used` is the highest generation ever given out in this slot.
    `leftover` is a failed successor that may still be there: until it is gone nothing new begins.
    """

    instance: Instance
    state: State
    since: str
    used: int
    incident: Incident | None = None
    replacement: Replacement | None = None
    leftover: Instance | None = None
    hold: Hold | None = None
    attempts: int = 0
    error: str | None = None


def born(instance: Instance, now: str) -> Life:
    """Return the life of a host that has just been verified."""
    return Life(instance=instance, state=State.SEALED, since=now, used=instance.generation)


def never(instance: Instance, now: str) -> Life:
    """Return the life of a first host that never served; it is kept so that its generation stays used."""
    return replace(born(instance, now), state=State.RETIRED)


def observed(life: Life, state: State, incident: Incident | None, now: str) -> Life:
    """Return the life after news of the host's standing (sealed, suspect or flagged, with its incident when flagged).

    News do not disturb a replacement under way, nor a quarantine; a newer incident's data replaces the older one's.
    """
    if state not in _STANDING:
        raise IllegalTransitionError(f"{state} is not a standing")
    if (state is State.FLAGGED) != (incident is not None):
        raise IllegalTransitionError("a flag has an incident, and nothing else has one")
    if life.state not in _STANDING or (life.state, life.incident) == (state, incident):
        return life
    attempts = life.attempts if state is State.FLAGGED else 0
    since = life.since if life.state is state else now
    return replace(life, state=state, incident=incident, since=since, attempts=attempts, error=None)


def known(life: Life, incident: Incident | None, now: str) -> Life:
    """Return the life with what the ledger knows: the host's open incident, None when it is not flagged."""
    return observed(life, State.FLAGGED if incident else State.SEALED, incident, now)


def begun(life: Life, replacement: Replacement, now: str) -> Life:
    """Return the life once an attempt and its successor's name are written down, before anything is created."""
    _from(life, State.FLAGGED)
    if life.hold is not None:
        raise IllegalTransitionError(
            f"{life.instance.host} is held by {life.hold.person}: {life.hold.reason}"
        )
    if life.leftover is not None:
        raise IllegalTransitionError(f"{life.leftover.host} is not removed yet")
    successor = replacement.successor
    if successor.slot != life.instance.slot or successor.generation <= life.used:
        raise IllegalTransitionError(f"{successor.host} cannot follow {life.instance.slot}-g{life.used}")
    return replace(
        life, state=State.REPLACING, replacement=replacement, used=successor.generation, since=now, error=None
    )


def created(life: Life, successor: Instance, now: str) -> Life:
    """Return the life once the successor that was written down runs; it has its name and address now."""
    _from(life, State.REPLACING)
    known = attempt(life)
    if replace(successor, name=None, address=None) != replace(known.successor, name=None, address=None):
        raise IllegalTransitionError(f"{successor.host} is not the successor that was written down")
    return replace(life, state=State.VERIFYING, replacement=replace(known, successor=successor), since=now)


def verified(life: Life, now: str) -> Life:
    """Return the life once the successor has shown that it can serve. From here on there is no way back."""
    _from(life, State.VERIFYING)
    return replace(life, state=State.DRAINING, since=now)


def failed(life: Life, why: str, limit: int, now: str) -> Life:
    """Return the life after an attempt that failed: flagged again, or quarantined after `limit` of them.

    Its successor is left over until :func:`cleared`.
    """
    _from(life, State.REPLACING, State.VERIFYING)
    left = attempt(life).successor
    attempts = life.attempts + 1
    state = State.QUARANTINED if attempts >= limit else State.FLAGGED
    return replace(
        life, state=state, replacement=None, leftover=left, attempts=attempts, error=why, since=now
    )


def cleared(life: Life) -> Life:
    """Return the life once what was left over is gone."""
    return replace(life, leftover=None)


def retired(life: Life, now: str) -> tuple[Life, Life]:
    """Return the old host's last state and the successor's first."""
    _from(life, State.DRAINING)
    return replace(life, state=State.RETIRED, since=now), born(attempt(life).successor, now)


def held(life: Life, hold: Hold) -> Life:
    """Return the life with a hold. A replacement under way goes on: half of one is the worst of all states."""
    return replace(life, hold=hold)


def unheld(life: Life) -> Life:
    """Return the life without a hold."""
    return replace(life, hold=None)


def released(life: Life, now: str) -> Life:
    """Return a quarantined host's life after a person has mended what made its successors fail."""
    _from(life, State.QUARANTINED)
    return replace(life, state=State.FLAGGED, attempts=0, error=None, since=now)


def attempt(life: Life) -> Replacement:
    """Return the attempt under way; IllegalTransitionError when there is none."""
    if life.replacement is None:
        raise IllegalTransitionError(f"{life.instance.host}: no replacement is under way")
    return life.replacement


def due(life: Life, now: str) -> bool:
    """Return whether a replacement may begin by itself: flagged, not held, and its deadline has come (RFC 3339, UTC)."""
    incident = life.incident
    return (
        life.state is State.FLAGGED
        and life.hold is None
        and incident is not None
        and incident.deadline is not None
        and incident.deadline <= now
    )


def _from(life: Life, *allowed: State) -> None:
    if life.state not in allowed:
        raise IllegalTransitionError(f"{life.instance.host} is {life.state}, not {' or '.join(allowed)}")
