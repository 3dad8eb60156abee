"""`hostseal policy`: writes, checks and previews policies, and builds the bundle that hosts get."""

import click

from hostseal.cli.policy_build import build


@click.group()
def policy() -> None:
    """Policies and their bundle."""


policy.add_command(build)
