"""`hostseal policy would`: what a revision would have done where it was held back."""

from typing import TextIO

import click
import msgspec

from hostseal.core.text import shown


@click.command()
@click.argument("recorded", type=click.File(encoding="utf-8", errors="replace"), nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a revision, for programs.")
def would(recorded: tuple[TextIO, ...], as_json: bool) -> None:
    """Count, by revision, what was held back (a mode, a stage, an exemption) and what was done.

    RECORDED is /var/log/hostseal/decisions.jsonl of a host, or what `hostseal ledger search --kind decision --json`
    prints; `-` is standard input.
    """
    from hostseal.policy.held_back import count

    lines = (line for file in recorded for line in file)
    for one in count(lines, ", ".join(file.name for file in recorded)):
        if as_json:
            click.echo(msgspec.json.encode(one).decode())
            continue
        click.echo(f"{shown(one.revision)}: {one.decisions} decision(s) about {one.hosts} host(s)")
        for word, by_action in (("would", one.would), ("did", one.did)):
            for action, (decisions, hosts) in by_action.items():
                click.echo(f"  {word:<5} {shown(action):<26} {decisions:>7} decision(s) on {hosts} host(s)")
