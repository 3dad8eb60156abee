"""The ledger behind the controller's Flags and Journal ports."""

import msgspec

from hostseal.core.lifecycle import Incident, Instance, Life, State
from hostseal.ledger.book import Ledger
from hostseal.ledger.entry import Kind, OpenFlag


class LedgerFlags:
    """Who is flagged, as the ledger has it: by a host's own policy or by the ledger itself."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def open(self) -> dict[str, Incident]:
        """Return each flagged host's incident: of several the one that is due first. LedgerError."""
        flags = sorted(self._ledger.open_flags(), key=_due, reverse=True)
        return {
            flag.host: Incident(id=flag.id, deadline=flag.deadline, reasons=flag.reasons) for flag in flags
        }


class LedgerJournal:
    """Records each step of a replacement, once, under the incident it answers to."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def record(self, life: Life, step: str, why: str) -> None:
        """Append the step; a host that is retired has no flags and no tokens any more. LedgerError."""
        attempt, incident, host = life.replacement, life.incident, life.instance.host
        if attempt is None:
            return
        identity = f"{attempt.token}:{step}"
        body = {
            "step": step,
            "slot": life.instance.slot,
            "host": host,
            "instance": msgspec.to_builtins(life.instance),
            "successor": msgspec.to_builtins(attempt.successor),
            "evidence": attempt.evidence,
            "incident": incident.id if incident else None,
            "token": attempt.token,
            "why": why,
        }
        # The successor's name and address come with its creation: the same step always says the same.
        if step == State.RETIRED:
            self._ledger.retire(host, body, id=identity)
        else:
            self._ledger.append(
                Kind.REPLACEMENT, host, body, id=identity, type=step, ref=incident.id if incident else ""
            )

    def gone(self, instance: Instance, why: str) -> None:
        """Record that an instance which never served is removed: its flags, its tokens and the wait for it end. LedgerError."""
        body = {
            "step": State.RETIRED,
            "slot": instance.slot,
            "instance": msgspec.to_builtins(instance),
            "why": why,
        }
        self._ledger.retire(instance.host, body, id=f"{instance.id}:gone")


def _due(flag: OpenFlag) -> str:
    return flag.deadline or "9999"
