"""`hostseal status`: the host's standing with its reasons, and how the agent's parts are."""

import json
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from hostseal import lockdown_file
from hostseal.cli.control import NotRunningError, ask
from hostseal.cli.exit_codes import ExitCode
from hostseal.cli.gate import in_a_line
from hostseal.cli.policy_lines import policy_in_lines
from hostseal.cli.seal_lines import seal_in_lines
from hostseal.clock import SystemClock
from hostseal.config.load import state_directory
from hostseal.core.event import in_words
from hostseal.core.lockdown import Level
from hostseal.core.standing import Standing, State
from hostseal.core.text import shown
from hostseal.errors import SpoolError
from hostseal.host_identity import instance_id
from hostseal.spool.reading import SpoolReader
from hostseal.standing_file import read


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@click.option(
    "--state", type=click.Path(path_type=Path), help="The agent's state directory, where it is not the usual."
)
def status(as_json: bool, state: Path | None) -> None:
    """Show standing, sensors, spool and OPA. Exit 0 sealed, 5 suspect, 4 flagged, 3 when the agent is not running."""
    folder = state or state_directory()
    try:
        standing = read(folder / "flag.json")
        locked = lockdown_file.read(folder / lockdown_file.NAME)
        reader = SpoolReader(folder / "spool.db")
    except (OSError, msgspec.DecodeError) as error:
        raise SpoolError(f"the agent's state cannot be read: {error}", hint=str(folder)) from error
    try:
        running: dict[str, Any] | None = ask({"op": "status"})
        absent = ""
    except NotRunningError as error:
        running, absent = None, str(error)
    report = {
        "instance": instance_id(),
        "standing": {"state": str(standing.state), **msgspec.to_builtins(standing)},
        "lockdown": msgspec.to_builtins(locked),
        "agent": running,
        "spool": {"pending": reader.pending()},
        "actions": reader.actions()[-10:],
        "waiting": [record for record in reader.events(reader.last_seq(1000)) if record["state"] != "done"][
            :10
        ],
    }
    click.echo(json.dumps(report) if as_json else _text(report, standing, absent))
    if running is None:
        sys.exit(ExitCode.NOT_RUNNING)
    codes = {State.SEALED: ExitCode.OK, State.SUSPECT: ExitCode.SUSPECT, State.FLAGGED: ExitCode.FLAGGED}
    sys.exit(codes[standing.state])


def _text(report: dict[str, Any], standing: Standing, absent: str) -> str:
    rows = [("standing", str(standing.state))]
    rows += [("suspect", f"{s.user} from {s.source} since {s.since}") for s in standing.suspicions]
    if incident := standing.incident:
        rows += [
            ("incident", incident.id),
            ("opened", in_words(incident.opened)),
            ("deadline", in_words(incident.deadline) if incident.deadline else "none"),
        ]
        rows += [
            ("evidence", f"{incident.evidence} event(s)"),
            *(("reason", reason) for reason in incident.reasons),
        ]
    rows += [("pardoned", f"{p.incident} by {p.person}: {p.reason}") for p in standing.pardons[-3:]]
    rows.append(("instance", report["instance"] or "unknown: there is no machine-id"))
    agent = report["agent"]
    rows += _lockdown(report["lockdown"], agent)
    if agent is None:
        rows.append(("agent", f"not running: {absent}"))
    else:
        host = agent["host"]
        groups = ", ".join(host["groups"]) or "none"
        rows.append(("host", f"{host['name']}, mode {host['mode']}, class {host['class']}, groups {groups}"))
        rows.append(("login gate", in_a_line(agent["gate"])))
        for name, part in agent["parts"].items():
            fallen = f", died {part['deaths']} time(s): {part['error']}" if part["deaths"] else ""
            rows.append((name, ("running" if part["alive"] else "NOT RUNNING") + fallen))
        files = agent["files"]
        rows.append(
            ("file backend", f"{files.get('backend')} ({files.get('reason')}), lost {files.get('lost')}")
        )
        rows += seal_in_lines(files.get("seal"), files.get("counts"))
        if note := (agent.get("diffs") or {}).get("note"):
            rows.append(("diffs", note))
        rows.append(("OPA", agent["spool"]["trouble"] or "answers"))
        rows += policy_in_lines(agent.get("policy"), SystemClock().now())
        if ledger := agent.get("ledger"):
            sent = f"has events up to #{ledger['sent_seq']}, heard {ledger['contact'] or 'never'}"
            rows.append(("ledger", f"{sent}: {ledger['trouble']}" if ledger["trouble"] else sent))
        if agent["spool"]["full"]:
            rows.append(("spool full", agent["spool"]["full"]))
    rows.append(("spool", f"{report['spool']['pending']} event(s) wait"))
    rows += [
        (
            "waiting",
            f"#{w['event']['seq']} {w['event']['type']}, {w['attempts']} tries: {w['error'] or 'not tried yet'}",
        )
        for w in report["waiting"]
    ]
    for run in report["actions"]:
        why = f": {run['error']}" if run["error"] else ""
        rows.append((f"playbook {run['action']}", f"{run['state']}, {run['attempts']} tries{why}"))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {shown(value)}" for name, value in rows)


def _lockdown(found: dict[str, Any], agent: dict[str, Any] | None) -> list[tuple[str, str]]:
    if found["level"] == Level.OPEN:
        return [("lockdown", found["level"])]
    missing = agent is not None and not agent["lockdown"]["in_force"]
    return [
        (
            "lockdown",
            f"{found['level']}{', NOT IN FORCE' if missing else ''} since {in_words(found['since'])}",
        ),
        ("locked for", f"incident {found['incident']}"),
        *(("lock reason", reason) for reason in found["reasons"]),
    ]
