"""An event in a few words, by its type. The words hold untrusted text: whoever shows them escapes it."""

from collections.abc import Callable, Mapping
from typing import Any

Data = Mapping[str, Any]
# What breaks the seal is named first, what is as it says last.
_ORDER = {"broken": -1, "own": 1, "by_design": 1, "touched": 2}


def other(data: Data) -> str:
    """Return the words for a type that has none of its own."""
    return str(data.get("version") or data.get("reason") or "")


def _login(data: Data) -> str:
    key = (data.get("key") or {}).get("fingerprint")
    return f"{data['user']} from {data['source']}{f' with {key}' if key else ''}"


def _gated(data: Data) -> str:
    why = "; ".join(data["why"]) if "why" in data else data["cause"]
    return f"{data['user']} from {data['source']}, {data['phase']} phase: {why}"


def _gate(data: Data) -> str:
    return f"{data['before']} -> {data['state']}: {data['cause']}"


def _certificate(data: Data) -> str:
    return f"{data['user']} from {data['source']}: {data['why']}, {data['key_id']}"


def _channel(data: Data) -> str:
    where = f" on {data['pty']}" if data["pty"] else ""
    return f"{data['user']} from {data['source']}: {data['subsystem'] or data['kind']}{where}"


def _witnesses(data: Data) -> str:
    times = f" ({data['count']} times)" if data["count"] > 1 else ""
    return f"{data['user']} from {data['source']}: not by {', '.join(data['missing'])}{times}; {data['why']}"


def _of(data: Data) -> str:
    user = (data.get("session") or {}).get("user")
    return f" of {user}" if user else ""


def _commands(data: Data) -> str:
    return f"{len(data['commands'])} command(s){_of(data)}, {data['missed']} missed"


def _privilege(data: Data) -> str:
    return f"{data['user']} became {data['target']} by {data['via'] or 'an unknown program'}"


def _left_behind(data: Data) -> str:
    programs = ", ".join(process["exe"] or "an unknown program" for process in data["processes"][:3])
    return f"{data['count']} process(es){_of(data)} still running: {programs}"


def _files(data: Data) -> str:
    paths = sorted(data["paths"], key=lambda path: _ORDER.get(path.get("seal"), 0))
    named = ", ".join(f"{path['path']}{_standing(path)}" for path in paths[:3])
    return f"{data['count']} change(s) by {_writer(data['writer'])}: {named}"


def _writer(writer: Data) -> str:
    own = "the agent's own playbook" if writer["kind"] == "action" else None
    who = own or (writer.get("session") or {}).get("user") or writer.get("exe") or writer["kind"]
    unit = f" in {writer['unit']}" if writer.get("unit") and writer["kind"] == "executable" else ""
    via = writer.get("via") or {}
    laid = f", laid by {via['session'].get('user')} in {via['path']}" if via else ""
    return f"{who}{unit}{laid}"


def _standing(path: Data) -> str:
    """Return how a path stands to the seal, where there is something to say."""
    seal = path.get("seal")
    if seal == "broken":
        return f" (breaks the seal: {', '.join(path['differs'])})"
    return (
        f" (by design: {path['class']})"
        if seal == "by_design"
        else " (unchanged)"
        if seal == "touched"
        else ""
    )


def _loss(data: Data) -> str:
    again = ", scanned again" if data.get("rescanned") is True else ""
    return f"{data['sensor']}: {data['cause']} ({data['scope']}){again}"


def _heartbeat(data: Data) -> str:
    lost = ", ".join(f"{sensor} {times}" for sensor, times in data["lost"].items())
    policy = data["policy"]["revision"] or "unknown"
    return f"{data['spool']['pending']} event(s) wait, policy {policy}{f', losses: {lost}' if lost else ''}"


def _broken(data: Data) -> str:
    named = ", ".join(f"{one['path']} ({one['change']})" for one in data["differences"][:3])
    unfinished = "" if data["complete"] else ", the scan did not finish"
    return f"{data['count']} difference(s), scan by {data['cause']}{unfinished}: {named}"


def _untrusted(data: Data) -> str:
    return f"{data['manifest']}: {data['cause']}, {data['detail']}"


def _word(data: Data) -> str:
    return f"{data['person']}: {_wish(data)}{data['reason']}"


def _wish(data: Data) -> str:
    if "wish" not in data:
        return ""
    about = data["level"] or f"session {(data['session'] or {}).get('audit_session')}"
    return f"{data['wish']} {about}: "


SUMMARIES: Mapping[str, Callable[[Data], str]] = {
    "login.requested": _login,
    "session.opened": _login,
    "session.closed": _login,
    "login.refused": _gated,
    "login.unasked": _gated,
    "gate.changed": _gate,
    "certificate.refused": _certificate,
    "session.channel": _channel,
    "witnesses.disagree": _witnesses,
    "session.commands": _commands,
    "session.privilege": _privilege,
    "session.left_behind": _left_behind,
    "files.changed": _files,
    "seal.broken": _broken,
    "seal.untrusted": _untrusted,
    "sensor.lost": _loss,
    "agent.heartbeat": _heartbeat,
    "flag.pardoned": _word,
    "operator.flagged": _word,
    "operator.asked": _word,
    "lockdown.released": _word,
}
