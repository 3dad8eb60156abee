"""`hostseal ledger`: runs the ledger, and reads and checks its record."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click
import msgspec

from hostseal.cli.exit_codes import ExitCode
from hostseal.clock import SystemClock
from hostseal.core.event import timestamp
from hostseal.core.text import shown
from hostseal.errors import LedgerError, PardonError

if TYPE_CHECKING:
    from hostseal.ledger.book import Ledger
    from hostseal.ledger.entry import Record

DATA = Path("/var/lib/hostseal-ledger")
_PARDON_BYTES = 65536
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_data = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=DATA,
    show_default=True,
    envvar="HOSTSEAL_LEDGER",
    help="Where the ledger lies.",
)
_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")


@click.group()
def ledger() -> None:
    """The record off the hosts: what was observed, decided and done, in a chain that shows every change."""


@ledger.command()
@_data
@click.option("--listen", default="0.0.0.0:8443", show_default=True, metavar="ADDRESS:PORT")
@click.option("--certificate", type=_FILE, required=True, help="PEM, with what leads to its authority.")
@click.option("--certificate-key", type=_FILE, required=True)
@click.option("--checkpoint-key", type=_FILE, required=True, help="Ed25519, PEM.")
@click.option(
    "--enrolment-key", type=_FILE,
    help="The public key of the launcher's credentials: new hosts get in by themselves, once each.",
)  # fmt: skip
@click.option(
    "--heartbeat-seconds", type=click.FloatRange(0.1, 3600), default=30, show_default=True,
    help="How often agents are to be heard; one silent for three times that is flagged.",
)  # fmt: skip
@click.option(
    "--deadline-seconds", type=click.IntRange(0), default=3600, show_default=True,
    help="How long a host that the ledger itself flags has until it is replaced.",
)  # fmt: skip
def serve(
    data: Path,
    listen: str,
    certificate: Path,
    certificate_key: Path,
    checkpoint_key: Path,
    enrolment_key: Path | None,
    heartbeat_seconds: float,
    deadline_seconds: int,
) -> None:
    """Take in what hosts send, until SIGTERM (under systemd: hostseal-ledger.service)."""
    _needs_extra()
    from hostseal.ledger import serve as service
    from hostseal.ledger.watch import Watching
    from hostseal.log import to_standard_error

    address, _, port = listen.rpartition(":")
    if not port.isdecimal() or not address:
        raise click.BadParameter(f"{listen!r} is not like 0.0.0.0:8443", param_hint="--listen")
    serving = service.Serving(
        data=data,
        address=address.strip("[]"),
        port=int(port),
        certificate=certificate,
        certificate_key=certificate_key,
        checkpoint_key=checkpoint_key,
        enrolment_key=enrolment_key,
        watching=Watching(heartbeat_seconds=heartbeat_seconds, deadline_seconds=deadline_seconds),
    )
    service.run(serving, to_standard_error)


@ledger.group()
def token() -> None:
    """Who may write: one token a host, shown once and kept as its SHA-256."""


@token.command("add")
@click.argument("host")
@_data
def add(host: str, data: Path) -> None:
    """Print a new token for HOST; earlier ones go on working until they are revoked."""
    if not host.strip() or host != host.strip() or not host.isprintable():
        raise click.BadParameter("a host's name is text without blanks around it", param_hint="HOST")
    _needs_extra()
    from hostseal.ledger.book import Ledger

    with Ledger.make(data, SystemClock()) as book:
        click.echo(book.add_token(host))


@token.command("list")
@_data
@_json
def list_tokens(data: Path, as_json: bool) -> None:
    """Show whose tokens there are, since when, and the beginning of their SHA-256."""
    with _open(data) as book:
        for one in book.tokens():
            line = f"{shown(one.host):<24} {one.added[:19]}  {one.sha256}"
            click.echo(msgspec.json.encode(one).decode() if as_json else line)


@token.command()
@click.argument("host")
@click.option("--keep", metavar="SHA256", multiple=True, help="One that stays, as `token list` shows it.")
@_data
def revoke(host: str, keep: tuple[str, ...], data: Path) -> None:
    """End the tokens of HOST at once; without any, nobody waits for its heartbeat either."""
    if any(len(one) < 8 for one in keep):  # noqa: PLR2004 - fewer digits name too many tokens
        raise click.BadParameter("name it by 8 digits or more", param_hint="--keep")
    with _open(data) as book:
        ended = book.revoke_tokens(host, keep)
    click.echo(f"{ended} token(s) of {shown(host)} ended")
    sys.exit(ExitCode.OK if ended else ExitCode.FAILED)


@ledger.command()
@click.option("--witness", "witnesses", multiple=True, type=_FILE, help="A host's witness.jsonl.")
@click.option("--key", "keys", multiple=True, type=_FILE, help="A checkpoint key's public half (PEM).")
@click.option(
    "--indexes", is_flag=True, help="Also that the indexes which searches go by fit the records (slower)."
)
@_data
@_json
def verify(
    witnesses: tuple[Path, ...], keys: tuple[Path, ...], indexes: bool, data: Path, as_json: bool
) -> None:
    """Check every record, every checkpoint and what witnesses were told. Exit 0 whole, 6 when something was changed.

    Without --key the keys beside the ledger count, which whoever can rewrite the ledger can rewrite too.
    """
    from hostseal.ledger import checkpoints, links, witness
    from hostseal.ledger.verify import verify as check

    trusted = checkpoints.public_keys(keys or sorted((data / "keys").glob("*.pub")))
    report = check(data / "ledger.db", trusted, list(witness.read(witnesses)))
    if indexes:
        more = links.index_damage(data / "ledger.db")
        report = msgspec.structs.replace(report, findings=(*report.findings, *more))
    if as_json:
        click.echo(msgspec.json.encode(report).decode())
    else:
        click.echo(f"{report.head.count} records, head {report.head.hash}")
        click.echo(
            f"{report.checkpoints} checkpoints, the newest over {report.signed} records;"
            f" {report.witnessed} lines of witnesses"
        )
        for finding in report.findings:
            click.echo(f"BAD  {finding.trouble}: {shown(finding.says)}")
        click.echo("whole" if report.whole else "NOT WHOLE: something was changed")
    sys.exit(ExitCode.OK if report.whole else ExitCode.TAMPERED)


@ledger.command()
@click.option("--host")
@click.option("--user", help="The person's name in the event.")
@click.option("--key", help="The person's key: SHA256:...")
@click.option("--rule", help="A rule that spoke in the decision.")
@click.option("--kind", help="decision, event, flag, action, replacement, refusal, conflict, ...")
@click.option("--since", type=click.DateTime(), help="UTC; the time that the writer gives.")
@click.option("--until", type=click.DateTime(), help="UTC; not included.")
@click.option("--last", "-n", type=click.IntRange(1), default=100, show_default=True)
@_data
@_json
def search(last: int, data: Path, as_json: bool, **terms: str | datetime | None) -> None:
    """Show the last records that match, in the order in which they came."""
    with _open(data) as book:
        from hostseal.ledger.search import Query

        asked = {name: _moment(term) if isinstance(term, datetime) else term for name, term in terms.items()}
        query = msgspec.convert(asked, Query)
        for record in book.newest(query, last):
            click.echo(msgspec.json.encode(record).decode() if as_json else _row(record))


@ledger.command()
@click.option(
    "--grace", type=click.FloatRange(0), default=60, show_default=True,
    help="Seconds that what is missing may still be on its way.",
)  # fmt: skip
@_data
@_json
def gaps(grace: float, data: Path, as_json: bool) -> None:
    """Show what should be here and is not. Exit 0 nothing, 7 when something is missing."""
    with _open(data) as book:
        found = book.gaps(grace)
    for gap in found:
        line = (
            f"{shown(gap.host):<24} {gap.missing:<9} #{gap.position} {gap.received[:19]}  {shown(gap.reason)}"
        )
        click.echo(msgspec.json.encode(gap).decode() if as_json else line)
    sys.exit(ExitCode.INCOMPLETE if found else ExitCode.OK)


@ledger.command()
@_data
@_json
def flags(data: Path, as_json: bool) -> None:
    """Show the flags that stand. Exit 0 none, 4 when a host is flagged."""
    with _open(data) as book:
        found = book.open_flags()
    for flag in found:
        reasons = "; ".join(shown(reason) for reason in flag.reasons)
        line = f"{shown(flag.host):<24} {flag.cause:<9} {flag.raised[:19]}  {shown(flag.id)}  {reasons}"
        click.echo(msgspec.json.encode(flag).decode() if as_json else line)
    sys.exit(ExitCode.FLAGGED if found else ExitCode.OK)


@ledger.command()
@click.argument("file", type=click.File("rb"), default="-")
@_data
def pardon(file: BinaryIO, data: Path) -> None:
    """Record a pardon signed by `hostseal flag pardon` (FILE, or standard input): it ends the flag that it names.

    For flags that no host can take back: the ledger's own. DATA/pardon.pub is the key it is checked with.
    """
    try:
        signed = msgspec.json.decode(file.read(_PARDON_BYTES))
    except msgspec.MsgspecError as error:
        raise PardonError(f"this is not a pardon: {error}") from error
    with _open(data) as book:
        receipt = book.pardon(signed)
    click.echo(f"recorded as #{receipt.head.count}")


def _open(data: Path) -> "Ledger":
    _needs_extra()
    from hostseal.ledger.book import Ledger

    return Ledger(data, SystemClock())


def _needs_extra() -> None:
    try:
        import sqlalchemy  # noqa: F401 - only to see whether it is there
    except ImportError as error:
        raise LedgerError(
            "this installation has no ledger", hint="pip install 'hostseal[ledger]' on the ledger's own host"
        ) from error


def _moment(when: datetime) -> str:
    return timestamp(when.replace(tzinfo=UTC))


def _row(record: "Record") -> str:
    who = " ".join(part for part in (record.user, record.key) if part)
    cells = [record.kind, record.type, who, " ".join(record.rules) and f"[{' '.join(record.rules)}]"]
    told = " ".join(shown(cell) for cell in cells if cell)
    return f"#{record.position} {record.time[:23]} {shown(record.host):<16} {told}  {shown(record.id)}"
