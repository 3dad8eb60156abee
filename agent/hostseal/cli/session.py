"""`hostseal session`: the SSH sessions of this host."""

import click

from hostseal.cli.terminate import terminate


@click.group()
def session() -> None:
    """SSH sessions."""


session.add_command(terminate)
