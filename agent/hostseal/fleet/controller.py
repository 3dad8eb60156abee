"""Brings one replacement forward, step by step; each state is on disk before the next step begins."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from hostseal.core import lifecycle
from hostseal.core.event import timestamp
from hostseal.core.lifecycle import Instance, Life, Replacement, State
from hostseal.errors import HostsealError, NotReplacedError
from hostseal.fleet.ports import Balancer, Evidence, Flags, Images, Journal, Machines, Policy, Verifier
from hostseal.fleet.store import Lease, LifeStore


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """The controller's seams."""

    flags: Flags
    policy: Policy
    images: Images
    evidence: Evidence
    machines: Machines
    verifier: Verifier
    balancer: Balancer
    journal: Journal
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    tell: Callable[[str, str], None]


class Controller:
    """Works under a lease, on one host at a time."""

    def __init__(self, store: LifeStore, lease: Lease, ports: Ports, *, attempts: int) -> None:
        self._store, self._lease, self._ports, self._limit = store, lease, ports, attempts

    def known(self) -> list[Life]:
        """Return the hosts with what the ledger knows of them; nothing is changed."""
        flagged = self._ports.flags.open()
        return [
            lifecycle.known(life, flagged.get(life.instance.host), self._now()) for life in self._store.all()
        ]

    def observe(self) -> list[Life]:
        """Write down what the ledger knows of the hosts, and remove what failed attempts left over; return the hosts."""
        before = {life.instance.host: life for life in self._store.all()}
        return [self._clear(self._save(before.get(life.instance.host), life)) for life in self.known()]

    def chosen(self, lives: list[Life], host: str | None) -> Life | None:
        """Return the replacement under way, else the host named, else the one whose deadline came first; None: nothing to do.

        Raises NotReplacedError when another host's replacement is under way than the one named.
        """
        busy = [life for life in lives if life.state in lifecycle.BUSY]
        if busy:
            if host is not None and busy[0].instance.host != host:
                raise NotReplacedError(
                    f"the replacement of {busy[0].instance.host} is under way", hint="run it to its end first"
                )
            return busy[0]
        if host is not None:
            return self._named(host, lives)
        due = [life for life in lives if lifecycle.due(life, self._now())]
        return min(due, key=lambda life: str(life.incident and life.incident.deadline), default=None)

    def add(self, slot: str) -> Life:
        """Make the first host of a slot; after a crash, the one that was begun is brought to its end.

        Raises NotReplacedError when the slot has a host or the new one cannot serve, and what creating raises.
        """
        if any(life.instance.slot == slot for life in self._store.all()):
            raise NotReplacedError(f"the slot {slot} has a host already", hint="hostseal fleet status")
        begun = self._ports.machines.known(slot)
        first = Instance(
            slot=slot,
            generation=self._store.used(slot) + 1,
            id=self._ports.new_id(),
            image=self._ports.images.current(),
        )
        wanted = begun[0] if begun else first
        self._tell("create", f"{wanted.host} from {wanted.image}")
        self._renew()
        made = self._ports.machines.create(wanted)
        self._tell("verify", f"{made.host} at {made.address}")
        if problems := self._ports.verifier.problems(made):
            self._renew()
            self._ports.machines.remove(made)
            self._ports.journal.gone(made, "a first host that could not serve")
            self._save(None, lifecycle.never(made, self._now()))
            raise NotReplacedError(f"{made.host} cannot serve: {'; '.join(problems)}", hint="it was removed")
        self._tell("serve", f"{made.host} takes requests")
        self._renew()
        self._ports.balancer.serve(made)
        return self._save(None, lifecycle.born(made, self._now()))

    def replace(self, life: Life) -> Life:
        """Bring the replacement to its end; return the successor's life, or the old host's when the attempt was undone.

        Raises NotReplacedError or NoAnswerError before anything has happened.
        """
        if life.state not in lifecycle.BUSY:
            life = self._begin(life)
        while True:
            match life.state:
                case State.REPLACING:
                    life = self._create(life)
                case State.VERIFYING:
                    life = self._verify(life)
                case State.DRAINING:
                    return self._switch(life)
                case _:
                    return life

    def refusal(self, life: Life) -> str | None:
        """Return why the host may not be replaced now, in the policy's sentence or ours; None when it may."""
        instance = life.instance
        if life.hold is not None:
            return f"{instance.host} is held by {life.hold.person}: {life.hold.reason}"
        if life.state is not State.FLAGGED:
            return f"{instance.host} is {life.state}, not flagged"
        if life.leftover is not None:
            return f"{life.leftover.host}, which failed, could not be removed yet"
        for other in self._ports.machines.known(instance.slot):
            if other.generation == instance.generation and other.id != instance.id:
                return (
                    f"{instance.host} is instance {other.id} by now, and was {instance.id} when it was made"
                )
        decision = self._ports.policy.replace(life, self._ports.images.current(), self._now())
        return None if decision.allowed else "; ".join(decision.violations)

    def steps(self, life: Life) -> list[str]:
        """Return what :meth:`replace` would do to a host that is not refused, a line each."""
        instance, image = life.instance, self._ports.images.current()
        successor = f"{instance.slot}-g{life.used + 1}"
        return [
            f"keep the evidence of {instance.host} (incident {life.incident and life.incident.id})",
            f"create {successor} from {image}",
            f"verify {successor}: agent, policy engine, seal, service",
            f"send requests to {successor}, and none to {instance.host} any more",
            f"wait until {instance.host} has no request left, and retire it ({instance.id})",
        ]

    def _named(self, host: str, lives: list[Life]) -> Life:
        for life in lives:
            if life.instance.host == host:
                return life
        known = ", ".join(sorted(life.instance.host for life in lives)) or "none"
        raise NotReplacedError(f"there is no host {host}", hint=f"hosts: {known}")

    def _begin(self, life: Life) -> Life:
        image = self._ports.images.current()
        if why := self.refusal(life):
            raise NotReplacedError(why, hint="nothing was changed")
        token = self._ports.new_id()
        self._tell("evidence", f"of {life.instance.host}")
        evidence = self._ports.evidence.collect(life, token)
        slot = life.instance.slot
        successor = Instance(slot=slot, generation=life.used + 1, id=self._ports.new_id(), image=image)
        begun = lifecycle.begun(
            life,
            Replacement(token=token, began=self._now(), successor=successor, evidence=evidence),
            self._now(),
        )
        return self._save(life, begun)

    def _create(self, life: Life) -> Life:
        successor = self._recorded(life)
        self._tell("create", f"{successor.host} from {successor.image}")
        try:
            made = self._ports.machines.create(successor)
        except HostsealError as error:
            return self._undo(life, f"{successor.host} could not be created: {error}")
        return self._save(life, lifecycle.created(life, made, self._now()))

    def _verify(self, life: Life) -> Life:
        successor = self._recorded(life)
        self._tell("verify", f"{successor.host} at {successor.address}")
        if problems := self._ports.verifier.problems(successor):
            return self._undo(life, f"{successor.host} cannot serve: {'; '.join(problems)}")
        return self._save(life, lifecycle.verified(life, self._now()))

    def _switch(self, life: Life) -> Life:
        old, new = life.instance, self._recorded(life)
        self._tell("serve", f"{new.host} takes requests")
        self._ports.balancer.serve(new)
        self._tell("drain", f"{old.host} takes no new ones")
        self._renew()
        self._ports.balancer.drain(old)
        # Once more: only what is up now may be all that is left.
        self._renew()
        self._ports.balancer.serve(new)
        self._tell("retire", old.host)
        self._ports.machines.remove(old)
        self._ports.balancer.forget(old)
        gone, successor = lifecycle.retired(life, self._now())
        self._recorded(gone)
        self._store.succeed(self._lease, gone, successor)
        return successor

    def _undo(self, life: Life, why: str) -> Life:
        """Write the failure down, then take the successor away: the old host has served all along."""
        self._tell("undo", why)
        self._renew()
        self._ports.journal.record(life, "undone", why)
        undone = self._save(life, lifecycle.failed(life, why, self._limit, self._now()))
        return self._clear(undone)

    def _clear(self, life: Life) -> Life:
        """Remove what is left over of a failed attempt; if that fails, it is said, and tried again by the next run."""
        left = life.leftover
        if left is None:
            return life
        self._renew()
        try:
            self._ports.machines.remove(left)
        except HostsealError as error:
            self._tell("left", f"{left.host} could not be removed: {error}")
            return life
        self._ports.journal.gone(left, "a failed attempt")
        return self._save(life, lifecycle.cleared(life))

    def _recorded(self, life: Life) -> Instance:
        """Record that the attempt has come this far, which is on disk by now; return its successor."""
        self._renew()
        self._ports.journal.record(life, life.state, "")
        return lifecycle.attempt(life).successor

    def _renew(self) -> None:
        """Before anything outside is changed: another controller may have taken over while the last step took long."""
        self._store.renew(self._lease)

    def _save(self, before: Life | None, after: Life) -> Life:
        return after if after == before else self._store.save(self._lease, after)

    def _tell(self, step: str, what: str) -> None:
        self._ports.tell(step, what)

    def _now(self) -> str:
        return timestamp(self._ports.now())
