"""What the controller needs of the world. Each call may be made again after a crash, and then finds what is there."""

from collections.abc import Sequence
from typing import Protocol

from hostseal.core.decision import Decision
from hostseal.core.lifecycle import Incident, Instance, Life


class Flags(Protocol):
    """Who is flagged, as the ledger knows it."""

    def open(self) -> dict[str, Incident]:
        """Return the open incident of each flagged host, by the host's name."""


class Policy(Protocol):
    """Says whether a host may be replaced now."""

    def replace(self, life: Life, image: str, now: str) -> Decision:
        """Return the decision; raise NoAnswerError when there is none: nothing is replaced then (law 7)."""


class Images(Protocol):
    """The catalogue of images."""

    def current(self) -> str:
        """Return the digest of the image that new hosts get; raise ImageError when there is none."""


class Evidence(Protocol):
    """Keeps what is known of a host before it goes."""

    def collect(self, life: Life, token: str) -> str:
        """Write one archive for the attempt and return its digest; what an unreachable host cannot give is said in it."""


class Machines(Protocol):
    """Makes and removes instances, through the image pipeline."""

    def known(self, slot: str) -> Sequence[Instance]:
        """Return the slot's instances that were asked for, those included whose creation broke off."""

    def create(self, instance: Instance) -> Instance:
        """Make that one instance, or adopt it when it exists; return it with name and address. HostsealError: it is not there."""

    def remove(self, instance: Instance) -> None:
        """Remove that one instance; one that is gone already is no error."""


class Verifier(Protocol):
    """Looks whether a new host can serve."""

    def problems(self, instance: Instance) -> Sequence[str]:
        """Return what is wrong with it, a sentence each; none when it booted, its agent and seal are whole and it answers."""


class Balancer(Protocol):
    """Where the service's requests come in."""

    def serve(self, instance: Instance) -> None:
        """Send requests to it, too."""

    def drain(self, instance: Instance) -> None:
        """Send it no new requests, and return when it has none left, or those it has were ended at the deadline."""

    def forget(self, instance: Instance) -> None:
        """Take it out."""


class Journal(Protocol):
    """Where each step is recorded."""

    def record(self, life: Life, step: str, why: str) -> None:
        """Append it; the same step of the same attempt is recorded once."""

    def gone(self, instance: Instance, why: str) -> None:
        """Record that an instance which never served is removed: nobody waits for it, and its token ends."""
