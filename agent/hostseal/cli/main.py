"""The `hostseal` command: groups of commands, and the last handler of errors."""

import sys

import click

from hostseal import __version__
from hostseal.cli.action import action
from hostseal.cli.agent import agent
from hostseal.cli.break_glass import break_glass
from hostseal.cli.config import config
from hostseal.cli.doctor import doctor
from hostseal.cli.enrol import enrol
from hostseal.cli.exit_codes import ExitCode
from hostseal.cli.explain import explain
from hostseal.cli.flag import flag
from hostseal.cli.fleet import fleet
from hostseal.cli.gate import gate
from hostseal.cli.image import image
from hostseal.cli.ledger import ledger
from hostseal.cli.lockdown import lockdown
from hostseal.cli.play import play
from hostseal.cli.policy import policy
from hostseal.cli.record import log
from hostseal.cli.seal import seal
from hostseal.cli.session import session
from hostseal.cli.status import status
from hostseal.core.text import shown
from hostseal.errors import BadInputError, HostsealError, NoAnswerError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hostseal")
def hostseal() -> None:
    """Hostseal: a tamper-evident seal for hosts that are replaced, never patched."""


for command in (
    action, agent, break_glass, config, doctor, enrol, explain, flag, fleet, gate, image, ledger, lockdown, log, play,
    policy, seal, session, status,
):  # fmt: skip
    hostseal.add_command(command)


def main() -> None:
    """Run the command line; an error a person can act on is one sentence and a hint on standard error."""
    try:
        hostseal(prog_name="hostseal")
    except HostsealError as error:
        click.echo(f"hostseal: {shown(error.message)}", err=True)
        if error.hint:
            click.echo(f"  -> {shown(error.hint)}", err=True)
        sys.exit(_exit_code(error))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(ExitCode.FAILED)


def _exit_code(error: HostsealError) -> ExitCode:
    if isinstance(error, NoAnswerError):
        return ExitCode.NO_ANSWER
    return ExitCode.BAD_INPUT if isinstance(error, BadInputError) else ExitCode.FAILED
