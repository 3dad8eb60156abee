"""`hostseal break-glass`: what was granted on this machine, and taking it back."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hostseal.cli.break_glass_grant import extend, grant
from hostseal.cli.break_glass_options import as_json_option, person_option, record_option
from hostseal.core.event import in_words, timestamp
from hostseal.core.text import shown
from hostseal.errors import BreakGlassError

if TYPE_CHECKING:
    from hostseal.break_glass.book import Book

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("break-glass")
def break_glass() -> None:
    """The one login that may be made where nobody logs in: by a certificate for one person, host and time."""


break_glass.add_command(grant)
break_glass.add_command(extend)


@break_glass.command("list")
@record_option
@as_json_option
def list_grants(record: Path, as_json: bool) -> None:
    """List the certificates that were made here, and whether they hold, have ended or were taken back."""
    rows = list(_rows(record))
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        what = row["grant"]
        words = [what["id"], f"{row['state']:<7}", f"until {in_words(row['until'])}"]
        words += [f"{what['user']} on {what['host']}{' (drill)' if what['drill'] else ''}"]
        words += [f"{what['ticket']} by {what['person']}: {what['reason']}", f"serial {row['serial']}"]
        click.echo(shown("  ".join(words)))


def _rows(record: Path) -> Iterator[dict[str, Any]]:
    import msgspec

    from hostseal.break_glass.book import Book, Issued, Revoked

    entries = Book(record).entries()
    gone = {(one.authority, one.serial) for one in entries if isinstance(one, Revoked)}
    now = datetime.now(UTC)
    for one in entries:
        if isinstance(one, Issued):
            until = datetime.fromtimestamp(one.valid_before, UTC)
            state = "revoked" if (one.authority, one.serial) in gone else "holds" if now < until else "ended"
            yield {**msgspec.to_builtins(one), "until": timestamp(until), "state": state}


@break_glass.command()
@click.argument("identity", metavar="[ID]", required=False)
@click.option(
    "--serial", type=click.IntRange(1, 2**64 - 1), help="One certificate by its serial, instead of a grant."
)
@click.option(
    "--authority", type=_FILE, help="With --serial of one that was not made here: the authority's public key."
)
@click.option(
    "--krl",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The revocation list [default: revoked.krl in the record's folder].",
)
@person_option
@record_option
def revoke(
    *,
    identity: str | None,
    serial: int | None,
    authority: Path | None,
    krl: Path | None,
    person: str,
    record: Path,
) -> None:
    """Take back all certificates of the grant ID, or the one with --serial. It holds where the list is."""
    from hostseal.break_glass.book import Book, Revoked
    from hostseal.break_glass.revocation import revoke as add

    if (identity is None) == (serial is None):
        raise click.UsageError("name a grant's ID, or a --serial")
    book, target = Book(record), krl or record / "revoked.krl"
    for certifier, number in _chosen(book, identity, serial, authority):
        book.add(
            Revoked(authority=certifier, serial=number, time=timestamp(datetime.now(UTC)), person=person)
        )
        add(target, certifier, number)
        click.echo(f"serial {number} is in {shown(str(target))}")
    click.echo("It holds on a host that has this list: run its playbook with hostseal_break_glass_krl.")


def _chosen(
    book: "Book", identity: str | None, serial: int | None, authority: Path | None
) -> list[tuple[str, int]]:
    from hostseal.break_glass.book import Issued
    from hostseal.break_glass.signers import read_public

    if identity is not None:
        return [(one.authority, one.serial) for one in book.issued(identity)]
    made = [one for one in book.entries() if isinstance(one, Issued) and one.serial == serial]
    if authority is not None and serial is not None:
        return [(read_public(authority), serial)]
    if not made:
        raise BreakGlassError(f"serial {serial} was not made here", hint="name its --authority")
    return [(one.authority, one.serial) for one in made]
