"""Takes in the records that the PAM hook left while the agent did not answer: loss is an event (law 4)."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hostseal.core.event import EventType, timestamp
from hostseal.core.text import from_environment
from hostseal.ports import Emit


def take_in(folder: Path, emit: Emit) -> int:
    """Turn each record into `sensor.lost` and remove it once that is on disk; return how many there were."""
    names = sorted(folder.glob("login-*.json")) if folder.is_dir() else []
    for name in names:
        emit(EventType.SENSOR_LOST, _loss(name), sensor="pam", key=f"fallback:{name.name}")
        name.unlink()
    return len(names)


def _loss(name: Path) -> dict[str, Any]:
    try:
        record = json.loads(name.read_bytes())
        pam = {key: from_environment(str(value)) for key, value in record["pam"].items()}
        moment = timestamp(datetime.fromtimestamp(record["time"], UTC))
        why = from_environment(str(record["why"]))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return _data("an unreadable fallback record", None, f"a login, {name.name}", {})
    pam.pop("SSH_AUTH_INFO_0", None)
    detail = {**pam, "audit_session": record.get("audit_session"), "pid": record.get("pid")}
    return _data(why, moment, f"login of {pam.get('PAM_USER', '?')}, {pam.get('PAM_TYPE', '?')}", detail)


def _data(cause: str, moment: str | None, scope: str, detail: dict[str, Any]) -> dict[str, Any]:
    return {
        "sensor": "pam",
        "cause": cause,
        "since": moment,
        "until": moment,
        "scope": scope,
        "rescanned": False,
        "detail": detail,
    }
