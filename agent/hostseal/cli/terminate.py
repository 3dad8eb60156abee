"""`hostseal session terminate`: an operator ends an SSH session, through the policy."""

import getpass
import json

import click

from hostseal.cli.control import ask
from hostseal.errors import OperatorError


@click.command()
@click.argument("audit_session", type=click.IntRange(min=0), metavar="ID")
@click.option("--reason", required=True, help="Why; it stands in the record.")
@click.option("--person", default=getpass.getuser, show_default="you", help="Who wants it.")
def terminate(audit_session: int, reason: str, person: str) -> None:
    """Ask the agent on this host to end the session with the audit session ID, and all that is left of it.

    The policy has the last word. Prints a receipt as JSON.
    """
    wish = {"op": "ask", "wish": "terminate_session", "session": audit_session}
    receipt = ask({**wish, "reason": reason, "person": person})
    if receipt.pop("ok", None) is not True:
        raise OperatorError(str(receipt.get("error")))
    click.echo(json.dumps(receipt))
