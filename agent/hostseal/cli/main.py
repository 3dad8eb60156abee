"""The `hostseal` command: groups of commands, and the last handler of errors."""

import sys
from importlib import import_module

import click

from hostseal import __version__
from hostseal.cli.exit_codes import ExitCode
from hostseal.core.text import shown
from hostseal.errors import BadInputError, HostsealError, NoAnswerError

COMMANDS = (
    "action", "agent", "break-glass", "config", "doctor", "enrol", "explain", "flag", "fleet", "gate", "image", "ledger",
    "lockdown", "log", "play", "policy", "seal", "session", "status",
)  # fmt: skip
MODULES = {"log": "record"}
"""Where a command does not lie in the module of its name."""


class Commands(click.Group):
    """Imports a command when it is asked for: the agent, which is one of them, holds nothing of the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names, for the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Return the command, None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        attribute = cmd_name.replace("-", "_")
        module = import_module(f"hostseal.cli.{MODULES.get(cmd_name, attribute)}")
        command: click.Command = getattr(module, attribute)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hostseal")
def hostseal() -> None:
    """Hostseal: a tamper-evident seal for hosts that are replaced, never patched."""


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
