"""`hostseal lockdown`: an operator's lockdown, and releases from it, signed off the host and applied on it."""

import getpass
import json
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import click
import msgspec

from hostseal.cli.control import ask
from hostseal.core.event import timestamp
from hostseal.core.lockdown import Level
from hostseal.errors import OperatorError, ReleaseError

_WHO = click.option("--person", default=getpass.getuser, show_default="you", help="Who wants it.")
_WHY = click.option("--reason", required=True, help="Why; it stands in the record.")


@click.group()
def lockdown() -> None:
    """The host's lockdown of SSH."""


@lockdown.command()
@click.argument("level", type=click.Choice([str(one) for one in Level if one is not Level.OPEN]))
@_WHY
@_WHO
def request(level: str, reason: str, person: str) -> None:
    """Ask the agent on this host to lock SSH down to LEVEL; the policy has the last word. Prints a receipt as JSON.

    automation_only: persons get in by a break-glass certificate only. closed: automation, too.
    """
    receipt = ask({"op": "ask", "wish": "lockdown", "level": level, "reason": reason, "person": person})
    if receipt.pop("ok", None) is not True:
        raise OperatorError(str(receipt.get("error")))
    click.echo(json.dumps(receipt))


@lockdown.command()
@click.option("--host", required=True, help="The host's name in the policy's data.")
@click.option(
    "--incident", metavar="ID", required=True, help="The lockdown's, as `hostseal status` shows it."
)
@click.option("--key", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
@_WHY
@_WHO
@click.option("--valid-minutes", type=click.IntRange(1, 7 * 24 * 60), default=60, show_default=True)
def release(host: str, incident: str, key: Path, reason: str, person: str, valid_minutes: int) -> None:
    """Sign a release where the pardon KEY is (never on the host) and print it; apply it with `lockdown apply-release`."""
    from hostseal.core.release import Claim, sign
    from hostseal.keys import private_key

    claim = Claim(
        host=host,
        incident=incident,
        person=person,
        reason=reason,
        expires=timestamp(datetime.now(UTC) + timedelta(minutes=valid_minutes)),
        nonce=secrets.token_hex(16),
    )
    click.echo(msgspec.json.encode(sign(claim, private_key(key))).decode())


@lockdown.command("apply-release")
@click.argument("file", type=click.File("rb"), default="-")
def apply_release(file: BinaryIO) -> None:
    """Hand a signed release (FILE, or standard input) to the agent on this host."""
    try:
        signed = json.loads(file.read(65536))
    except ValueError as error:
        raise ReleaseError(f"this is not a release: {error}") from error
    receipt = ask({"op": "release", "release": signed})
    if receipt.get("ok") is not True:
        raise ReleaseError(str(receipt.get("error")))
    click.echo(f"recorded as event {receipt['id']}; SSH is opened once the policy has logged it")


@lockdown.command("record-purge", hidden=True)
@_WHY
@_WHO
def record_purge(reason: str, person: str) -> None:
    """Record that root removes the package, and with it the lockdown. It opens nothing by itself."""
    receipt = ask({"op": "purge_lockdown", "reason": reason, "person": person})
    if receipt.pop("ok", None) is not True:
        raise ReleaseError(str(receipt.get("error")))
    click.echo(json.dumps(receipt))
