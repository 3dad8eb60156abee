"""What a flag's playbook publishes, as bytes made here: no template ever sees an event's data (laws 9, 10)."""

import hashlib
import json
from collections.abc import Mapping

from hostseal.core.event import in_words
from hostseal.core.standing import Standing, State

BANNER = "/etc/ssh/hostseal_banner"
FACT = "/etc/ansible/facts.d/hostseal.fact"


def banner(standing: Standing) -> bytes | None:
    """Return the text sshd shows before a login, None while there is no flag.

    It is shown before authentication, so it names the incident and the deadline, never a person.
    """
    incident = standing.incident
    if incident is None:
        return None
    until = f"by {in_words(incident.deadline)}" if incident.deadline else "at the next roll"
    lines = (
        "*" * 72,
        "  This host's seal is broken. It is flagged and will be replaced",
        f"  {until}.",
        f"  Incident {incident.id}",
        "  Nothing that is changed here will be kept.",
        "*" * 72,
    )
    return ("\n".join(lines) + "\n").encode()


def fact(standing: Standing) -> bytes:
    """Return the Ansible local fact (JSON), read on the host as `ansible_local.hostseal`."""
    incident = standing.incident
    body = {
        "state": str(standing.state),
        "flagged": standing.state is State.FLAGGED,
        "incident": incident.id if incident else None,
        "opened": incident.opened if incident else None,
        "deadline": incident.deadline if incident else None,
    }
    return (json.dumps(body, indent=2, sort_keys=True) + "\n").encode()


def files(standing: Standing) -> Mapping[str, bytes | None]:
    """Return what each published path shall hold; None where it shall not exist."""
    return {BANNER: banner(standing), FACT: fact(standing)}


def expected(contents: Mapping[str, bytes | None]) -> dict[str, str | None]:
    """Return the SHA-256 (hex) each path will have once published, None for absent."""
    return {p: None if body is None else hashlib.sha256(body).hexdigest() for p, body in contents.items()}
