"""`hostseal policy`: writes, checks and previews policies, and builds the bundle that hosts get."""

import click

from hostseal.cli.policy_build import build
from hostseal.cli.policy_keys import keys
from hostseal.cli.policy_promote import promote
from hostseal.cli.policy_would import would


@click.group()
def policy() -> None:
    """Policies and their bundle."""


policy.add_command(build)
policy.add_command(keys)
policy.add_command(promote)
policy.add_command(would)
