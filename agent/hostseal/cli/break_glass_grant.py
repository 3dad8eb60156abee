"""`hostseal break-glass grant` and `extend`: a certificate, if the policy allows it."""

import json
import shlex
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from hostseal.cli.break_glass_options import making_options, person_option
from hostseal.core.break_glass import Grant, SignerKind, seconds
from hostseal.core.event import in_words, timestamp
from hostseal.core.lifecycle import State
from hostseal.core.text import shown
from hostseal.errors import BreakGlassError

if TYPE_CHECKING:
    from hostseal.break_glass.granting import Desk, Handed
    from hostseal.break_glass.signers import Signer

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--user", required=True, help="The account on the host.")
@click.option("--host", required=True, help="The host's name in the policy's data.")
@click.option("--instance", help="The host's instance id, as `hostseal status` shows it there.")
@click.option("--fleet", type=_FILE, help="Or the settings of the fleet's controller, whose state knows it.")
@click.option("--ticket", required=True, help="Where it is written down.")
@click.option("--reason", required=True, help="Why, in one line; it stands in the certificate.")
@click.option("--from", "source", help="Only from this address or network.")
@click.option("--key", type=_FILE, help="The person's public key; else a key is made.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The key; the certificate is OUT-cert.pub [default: ./HOST].",
)
@click.option("--drill", is_flag=True, help="A certificate that can only show that it works.")
@person_option
@making_options
def grant(
    *, user: str, host: str, instance: str | None, fleet: Path | None, ticket: str, reason: str, source: str | None,
    key: Path | None, out: Path | None, drill: bool, person: str, **making: Any,
) -> None:  # fmt: skip
    """Make a certificate by which USER may log in on HOST, once, if the policy allows it.

    Exit 0 made, 1 refused by the policy, 2 bad input, 3 no answer from the policy.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from hostseal.break_glass.handing_out import write_key
    from hostseal.break_glass.signers import public_text, read_public

    wanted = Grant(
        id=str(uuid.uuid4()), user=user, host=host, instance=instance or _instance(host, fleet), ticket=ticket,
        reason=reason, person=person, began=timestamp(datetime.now(UTC).replace(microsecond=0)), source=source,
        drill=drill,
    )  # fmt: skip
    target = out or Path(host)
    if key is None and target.exists():
        raise BreakGlassError(
            "there is a file of this name already", hint=f"{target}: name another one with --out"
        )
    made = None if key else Ed25519PrivateKey.generate()
    public = public_text(made.public_key()) if made else read_public(key or target)
    with _desk(making) as desk:
        handed = desk.issue("grant", wanted, public, seconds(making["lasting"]), tuple(making["extension"]))
    if made:
        write_key(target, made)
    _hand_out(handed, target, key or target, as_json=making["as_json"])


@click.command()
@click.argument("identity", metavar="ID")
@click.option("--key", type=_FILE, required=True, help="The key, or public key, that the grant is for.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="The certificate is OUT-cert.pub [default: as KEY]."
)
@making_options
def extend(*, identity: str, key: Path, out: Path | None, **making: Any) -> None:
    """Make another certificate of the grant ID, which ends later, if the policy allows it. Exits as `grant` does."""
    import base64

    from hostseal.break_glass.book import Book
    from hostseal.break_glass.signers import read_public
    from hostseal.core.ssh_certificate import fingerprint

    last = Book(making["record"]).issued(identity)[-1]
    public = read_public(key if key.suffix == ".pub" else key.with_name(f"{key.name}.pub"))
    if fingerprint(base64.b64decode(public.split()[1])) != last.fingerprint:
        raise BreakGlassError("the grant is for another key", hint=str(key))
    with _desk(making) as desk:
        lasting, extensions = seconds(making["lasting"]), tuple(making["extension"])
        handed = desk.issue("extend", last.grant, public, lasting, extensions)
    _hand_out(handed, out or key.with_name(key.name.removesuffix(".pub")), key, as_json=making["as_json"])


@contextmanager
def _desk(making: dict[str, Any]) -> Iterator["Desk"]:
    from hostseal.break_glass.book import Book
    from hostseal.break_glass.granting import Desk
    from hostseal.plays import asking

    if making["opa_url"] and (making["bundle"] or making["policies"] or making["site"]):
        raise click.UsageError("--opa-url names an OPA that has its own policies and data")
    if making["bundle"] and (making["policies"] or making["site"]):
        raise click.UsageError("--bundle holds policies and the site's data already")
    signer = _signer(making)
    with ExitStack() as stack:
        if making["opa_url"]:
            engine = asking.running(making["opa_url"], making["ca"], making["token_file"])
        else:
            own = asking.own(making["bundle"], making["bundle_key"], making["policies"], making["site"])
            engine = stack.enter_context(own)
        yield Desk(engine, signer, Book(making["record"]), lambda: datetime.now(UTC))


def _signer(making: dict[str, Any]) -> "Signer":
    from hostseal.break_glass.signers import KeyFileSigner, KeygenSigner

    authority = making["authority"]
    match SignerKind(making["signer"]):
        case SignerKind.FILE:
            return KeyFileSigner(authority, lambda: _passphrase(making))
        case SignerKind.KEYGEN:
            return KeygenSigner(authority, ())
        case SignerKind.AGENT:
            return KeygenSigner(authority, ("-U",))
        case SignerKind.PKCS11:
            if making["pkcs11"] is None:
                raise click.UsageError("--signer pkcs11 needs --pkcs11, the token's library")
            return KeygenSigner(authority, ("-D", str(making["pkcs11"])))


def _passphrase(making: dict[str, Any]) -> bytes:
    from hostseal.break_glass.handing_out import passphrase_from

    if making["passphrase_fd"] is not None:
        return passphrase_from(making["passphrase_fd"])
    if making["passphrase_file"] is not None:
        first: bytes = making["passphrase_file"].read_bytes().split(b"\n", 1)[0]
        return first
    entered: str = click.prompt("Passphrase of the authority's key", hide_input=True, err=True)
    return entered.encode()


def _instance(host: str, fleet: Path | None) -> str:
    if fleet is None:
        raise BreakGlassError(
            "which instance of the host is meant is not known",
            hint="--instance as `hostseal status` shows it, or --fleet",
        )
    from hostseal.cli.fleet import life_store

    with life_store(fleet) as store:
        life = store.get(host)
    if life is None or life.state is State.RETIRED:
        raise BreakGlassError(f"the fleet has no host {host!r} now", hint=str(fleet))
    return life.instance.id


def _hand_out(handed: "Handed", target: Path, key: Path, *, as_json: bool) -> None:
    from hostseal.break_glass.handing_out import write_certificate

    issued = handed.issued
    certificate = write_certificate(target, handed.certificate, f"{issued.grant.user}@{issued.grant.host}")
    if as_json:
        click.echo(json.dumps({**msgspec.to_builtins(issued), "certificate": str(certificate)}))
        return
    until = in_words(timestamp(datetime.fromtimestamp(issued.valid_before, UTC)))
    private = str(key).removesuffix(".pub")
    words = [
        "ssh",
        "-i",
        private,
        "-o",
        f"CertificateFile={certificate}",
        f"{issued.grant.user}@{issued.grant.host}",
    ]
    click.echo(f"grant {issued.grant.id}, serial {issued.serial}, until {until}")
    click.echo(f"  {shown(shlex.join(words))}")
