"""`hostseal log`: events and decisions as the agent recorded them."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from hostseal.config.load import state_directory
from hostseal.core.text import shown
from hostseal.spool.reading import SpoolReader

_FOLLOW_SECONDS = 0.25
_ODD_LENGTH = 200


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes; Ctrl-C ends it.")
@click.option(
    "--last", "-n", type=click.IntRange(1), default=50, show_default=True, help="How many to begin with."
)
@click.option(
    "--state", type=click.Path(path_type=Path), help="The agent's state directory, where it is not the usual."
)
def log(as_json: bool, follow: bool, last: int, state: Path | None) -> None:
    """Show the record: what was observed, what OPA decided and why, and the playbooks' runs."""
    reader = SpoolReader((state or state_directory()) / "spool.db")
    show = _json if as_json else _text
    for record in _records(reader, reader.last_seq(last), follow=follow):
        click.echo(show(record))


def _records(reader: SpoolReader, after: int, *, follow: bool) -> Iterator[dict[str, Any]]:
    actions: dict[str, tuple[str, int]] = {}
    while True:
        for record in reader.events(after):
            if follow and record["state"] != "done":
                break
            after = record["event"]["seq"]
            yield {"kind": "event", **record}
        for run in reader.actions():
            seen = (run["state"], run["attempts"])
            if actions.get(run["id"]) != seen:
                actions[run["id"]] = seen
                yield {"kind": "action", **run}
        if not follow:
            return
        time.sleep(_FOLLOW_SECONDS)


def _json(record: dict[str, Any]) -> str:
    return json.dumps(record, separators=(",", ":"))


def _text(record: dict[str, Any]) -> str:
    if record["kind"] == "action":
        tail = f" ({shown(record['error'])})" if record["error"] else ""
        when = (record["finished"] or record["created"])[:23]
        return f"{when}  playbook {record['action']}: {record['state']}, try {record['attempts']}{tail}"
    event, decision = record["event"], record["decision"]
    first = f"{event['time'][:23]}  #{event['seq']} {event['type']}: {shown(summary(event))}"
    if decision is None:
        return f"{first}\n{'':25}no decision yet: {shown(record['error'] or 'waiting')}"
    return "\n".join([first, *(f"{'':25}{line}" for line in _decision_lines(record, decision))])


def _decision_lines(record: dict[str, Any], decision: dict[str, Any]) -> Iterator[str]:
    for finding in decision["findings"]:
        yield f"{finding['severity']}: {shown(finding['message'])} [{finding['rule']}]"
    actions, would = decision["actions"], decision.get("would") or []
    if actions:
        yield f"-> {', '.join(actions)}   decision {record['decision_id']}"
    if would:
        yield f"-> observe mode; would have been: {', '.join(would)}   decision {record['decision_id']}"


def summary(event: dict[str, Any]) -> str:
    """Return an event in a few words; the text may hold anything and must be escaped before it is shown.

    An event that is not of its type's shape, which a host in bad hands may send, is told as it is.
    """
    try:
        return _summary(event)
    except (KeyError, TypeError, AttributeError):
        return json.dumps(event["data"])[:_ODD_LENGTH]


def _summary(event: dict[str, Any]) -> str:
    data = event["data"]
    match event["type"]:
        case "login.requested" | "session.opened" | "session.closed":
            key = (data.get("key") or {}).get("fingerprint")
            return f"{data['user']} from {data['source']}{f' with {key}' if key else ''}"
        case "session.channel" | "session.privilege" | "session.left_behind" | "session.commands":
            return _inside(event["type"], data)
        case "files.changed":
            writer = data["writer"]
            own = "the agent's own playbook" if writer["kind"] == "action" else None
            who = own or (writer.get("session") or {}).get("user") or writer.get("exe") or writer["kind"]
            return (
                f"{data['count']} change(s) by {who}: {', '.join(path['path'] for path in data['paths'][:3])}"
            )
        case "sensor.lost":
            return f"{data['sensor']}: {data['cause']} ({data['scope']})"
        case "flag.pardoned" | "operator.flagged":
            return f"{data['person']}: {data['reason']}"
        case _:
            return str(data.get("version") or data.get("reason") or "")


def _inside(kind: str, data: dict[str, Any]) -> str:
    user = (data.get("session") or {}).get("user")
    of = f" of {user}" if user else ""
    if kind == "session.channel":
        where = f" on {data['pty']}" if data["pty"] else ""
        return f"{data['user']} from {data['source']}: {data['subsystem'] or data['kind']}{where}"
    if kind == "session.commands":
        return f"{len(data['commands'])} command(s){of}, {data['missed']} missed"
    if kind == "session.privilege":
        return f"{data['user']} became {data['target']} by {data['via'] or 'an unknown program'}"
    programs = ", ".join(process["exe"] or "an unknown program" for process in data["processes"][:3])
    return f"{data['count']} process(es){of} still running: {programs}"
