"""`hostseal action`: runs one action; called by hostseal-action@.service."""

import sys
import uuid

import click

from hostseal.cli.exit_codes import ExitCode
from hostseal.config.load import drop_ins, load


@click.group(hidden=True)
def action() -> None:
    """Actions, as their units run them."""


@action.command()
@click.argument("action_id", type=click.UUID)
def run(action_id: uuid.UUID) -> None:
    """Run the playbook of the action ACTION_ID and store what came of it."""
    from hostseal.actions import playbook

    result = playbook.run(load(drop_ins()).state, str(action_id))
    click.echo(result.message)
    sys.exit(ExitCode.OK if result.ok else ExitCode.FAILED)
