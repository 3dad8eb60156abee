"""Takes in the records that the PAM hook left while the agent did not answer: loss is an event (law 4)."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hostseal.config.settings import OnFailure
from hostseal.core.event import EventType, timestamp
from hostseal.core.login import UNASKED, about, unasked
from hostseal.core.text import faithful
from hostseal.ports import Emit
from hostseal.sensors.pam import login_data
from hostseal.sensors.pam_message import parse

Opened = Callable[[Mapping[str, Any]], None]


def take_in(folder: Path, emit: Emit, opened: Opened) -> int:
    """Turn each record into events and remove it once those are on disk; return how many records there were.

    Each is a `sensor.lost`, and where an armed gate had to do without the agent a `login.refused` or `login.unasked`.
    `opened` is told of each session that the hook let in: it has witnessed it, if late.
    """
    names = sorted(folder.glob("login-*")) if folder.is_dir() else []
    for name in names:
        emit(EventType.SENSOR_LOST, _loss(name), sensor="pam", key=f"fallback:{name.name}")
        if gated := _gated(name):
            emit(gated[0], gated[1], sensor="gate", key=f"fallback:{name.name}")
        if session := _session(name):
            opened(session)
        name.unlink()
    return len(names)


def _gated(name: Path) -> tuple[EventType, dict[str, Any]] | None:
    """Return the event that tells what an armed gate did with the login; None where it was not armed."""
    try:
        login = parse(name.read_bytes())
        choice = OnFailure(login.answer.decode("ascii"))
        phase = {"account": EventType.LOGIN_REQUESTED, "open_session": EventType.SESSION_OPENED}[login.phase]
    except (ValueError, KeyError):
        return None
    if choice is OnFailure.ALLOW:
        return None
    said = about(name.name, phase, login_data(login, phase))
    if choice is OnFailure.DENY:
        return EventType.LOGIN_REFUSED, {**said, "by": "on_failure", "why": [UNASKED], "decision_id": None}
    cause = faithful(login.why)
    return EventType.LOGIN_UNASKED, unasked(said, faithful(login.principal_class), choice, cause)


def _session(name: Path) -> dict[str, Any] | None:
    try:
        login = parse(name.read_bytes())
    except ValueError:
        return None
    if login.phase != "open_session" or login.answer == OnFailure.DENY.encode():
        return None
    return login_data(login, EventType.SESSION_OPENED)


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
