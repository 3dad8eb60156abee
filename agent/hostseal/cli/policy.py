"""`hostseal policy`: writes, checks and previews policies, and builds the bundle that hosts get."""

import click

from hostseal.cli.policy_build import build
from hostseal.cli.policy_check import check, run_tests
from hostseal.cli.policy_eval import evaluate
from hostseal.cli.policy_keys import keys
from hostseal.cli.policy_new import new
from hostseal.cli.policy_preview import preview
from hostseal.cli.policy_promote import promote
from hostseal.cli.policy_would import would


@click.group()
def policy() -> None:
    """Policies and their bundle."""


policy.add_command(build)
policy.add_command(keys)
policy.add_command(promote)
policy.add_command(would)
policy.add_command(check)
policy.add_command(evaluate)
policy.add_command(new)
policy.add_command(preview)
policy.add_command(run_tests)
