"""Ids that derive from what they name, so that a repeat finds what is already there (law 2)."""

from uuid import UUID, uuid5

_NAMESPACE = UUID("3b0c35b4-6d0f-5a8e-9d3e-6b2f4f7a9c01")


def event_id(machine_id: str, boot_id: str, sensor: str, key: str) -> str:
    """Return the id of the observation that `sensor` calls `key`, on one boot of one host."""
    return _derive("event", machine_id, boot_id, sensor, key)


def incident_id(event: str) -> str:
    """Return the id of the incident that the event with this id opens."""
    return _derive("incident", event)


def action_id(machine_id: str, boot_id: str, incident: str, action: str) -> str:
    """Return the idempotency key of an action: host, boot id, incident, and what is done about it."""
    return _derive("action", machine_id, boot_id, incident, action)


def _derive(*parts: str) -> str:
    return str(uuid5(_NAMESPACE, "\x1f".join(f"{len(part)}:{part}" for part in parts)))
