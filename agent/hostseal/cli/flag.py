"""`hostseal flag`: an operator's flag, and pardons, signed off the host and applied on it."""

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
from hostseal.errors import OperatorError, PardonError


@click.group()
def flag() -> None:
    """The host's flag."""


@flag.command("raise")
@click.option("--reason", required=True, help="Why the host shall be replaced; it stands in the record.")
@click.option("--person", default=getpass.getuser, show_default="you", help="Who flags it.")
def raise_flag(reason: str, person: str) -> None:
    """Ask the agent on this host to flag it; the policy has the last word. Prints the agent's receipt as JSON."""
    receipt = ask({"op": "flag", "reason": reason, "person": person})
    if receipt.pop("ok", None) is not True:
        raise OperatorError(str(receipt.get("error")))
    click.echo(json.dumps(receipt))


@flag.command()
@click.option("--reason", required=True, help="Why the flag is taken back; it stands in the record.")
@click.option("--host", required=True, help="The host's name in the policy's data.")
@click.option("--incident", metavar="ID", required=True, help="As `hostseal status` shows it.")
@click.option("--key", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
@click.option("--person", default=getpass.getuser, show_default="you", help="Who pardons.")
@click.option("--valid-minutes", type=click.IntRange(1, 7 * 24 * 60), default=60, show_default=True)
def pardon(reason: str, host: str, incident: str, key: Path, person: str, valid_minutes: int) -> None:
    """Sign a pardon where the pardon KEY is (never on the host) and print it; apply it with `flag apply-pardon`."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from hostseal.core.pardon import Claim, sign

    try:
        private = load_pem_private_key(key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise PardonError(f"the key cannot be read: {error}", hint=str(key)) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise PardonError("the key is not an Ed25519 private key", hint=str(key))
    if not reason.strip():
        raise PardonError("--reason is empty")
    expires = datetime.now(UTC) + timedelta(minutes=valid_minutes)
    claim = Claim(
        host=host,
        incident=incident,
        person=person,
        reason=reason,
        expires=timestamp(expires),
        nonce=secrets.token_hex(16),
    )
    click.echo(msgspec.json.encode(sign(claim, private)).decode())


@flag.command("apply-pardon")
@click.argument("file", type=click.File("rb"), default="-")
def apply_pardon(file: BinaryIO) -> None:
    """Hand a signed pardon (FILE, or standard input) to the agent on this host."""
    try:
        signed = json.loads(file.read(65536))
    except ValueError as error:
        raise PardonError(f"this is not a pardon: {error}") from error
    receipt = ask({"op": "pardon", "pardon": signed})
    if receipt.get("ok") is not True:
        raise PardonError(str(receipt.get("error")))
    click.echo(f"recorded as event {receipt['id']}; the flag is taken back once the policy has logged it")
