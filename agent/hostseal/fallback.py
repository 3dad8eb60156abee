"""Takes in the records that the PAM hook left while the agent did not answer: loss is an event (law 4)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hostseal.core.event import EventType, timestamp
from hostseal.core.text import faithful
from hostseal.ports import Emit
from hostseal.sensors.pam_message import parse


def take_in(folder: Path, emit: Emit) -> int:
    """Turn each record into `sensor.lost` and remove it once that is on disk; return how many there were."""
    names = sorted(folder.glob("login-*")) if folder.is_dir() else []
    for name in names:
        emit(EventType.SENSOR_LOST, _loss(name), sensor="pam", key=f"fallback:{name.name}")
        name.unlink()
    return len(names)


def _loss(name: Path) -> dict[str, Any]:
    try:
        login = parse(name.read_bytes())
        moment = timestamp(datetime.fromtimestamp(login.time, UTC))
    except (ValueError, OverflowError):
        return _data("an unreadable fallback record", None, f"a login, {name.name}", {})
    pam = {key.decode("ascii"): faithful(value) for key, value in login.pam.items()}
    pam.pop("SSH_AUTH_INFO_0", None)
    detail = {**pam, "audit_session": login.audit_session, "pid": login.pid}
    return _data(faithful(login.why), moment, f"login of {pam['PAM_USER']}, {login.phase}", detail)


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
