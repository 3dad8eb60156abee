"""`hostseal log`: events and decisions as the agent recorded them."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from hostseal.cli.diffs import Safe, of_event
from hostseal.cli.summaries import SUMMARIES, other
from hostseal.config.load import state_directory
from hostseal.core.text import shown
from hostseal.spool.reading import SpoolReader

_FOLLOW_SECONDS = 0.25
_ODD_LENGTH = 200
_DIFF_LINES = 24


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
    first = "\n".join(
        [
            f"{event['time'][:23]}  #{event['seq']} {event['type']}: {shown(summary(event))}",
            *(f"{'':25}{line}" for line in _beginning(list(of_event(event)))),
        ]
    )
    if decision is None:
        return f"{first}\n{'':25}no decision yet: {shown(record['error'] or 'waiting')}"
    return "\n".join([first, *(f"{'':25}{line}" for line in _decision_lines(record, decision))])


def _beginning(diffs: list[Safe]) -> list[str]:
    more = len(diffs) - _DIFF_LINES
    return [
        *diffs[:_DIFF_LINES],
        *([f"({more} more lines: hostseal session show, or --json)"] if more > 0 else []),
    ]


def _decision_lines(record: dict[str, Any], decision: dict[str, Any]) -> Iterator[str]:
    for finding in decision["findings"]:
        yield f"{finding['severity']}: {shown(finding['message'])} [{finding['rule']}]"
    actions, would = decision["actions"], decision.get("would") or []
    if actions:
        yield f"-> {', '.join(actions)}   decision {record['decision_id']}"
    if would:
        yield f"-> held back; would have been: {', '.join(would)}   decision {record['decision_id']}"


def summary(event: dict[str, Any]) -> str:
    """Return an event in a few words; the text may hold anything and must be escaped before it is shown.

    An event that is not of its type's shape, which a host in bad hands may send, is told as it is.
    """
    try:
        return SUMMARIES.get(event["type"], other)(event["data"])
    except (KeyError, TypeError, AttributeError):
        return json.dumps(event["data"])[:_ODD_LENGTH]
