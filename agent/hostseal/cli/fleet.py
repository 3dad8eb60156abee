"""`hostseal fleet`: replaces flagged hosts through the image pipeline, one at a time."""

import getpass
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from hostseal.core import lifecycle
from hostseal.core.event import in_words, timestamp
from hostseal.core.lifecycle import Hold, Life, State
from hostseal.core.text import shown
from hostseal.errors import NotReplacedError

if TYPE_CHECKING:
    from hostseal.fleet.controller import Controller
    from hostseal.fleet.settings import FleetSettings
    from hostseal.fleet.store import LifeStore
    from hostseal.ledger.book import Ledger

FILE = Path("/etc/hostseal/fleet.toml")
_settings = click.option(
    "--settings", type=click.Path(dir_okay=False, path_type=Path), default=FILE, show_default=True,
    envvar="HOSTSEAL_FLEET", help="The controller's settings.",
)  # fmt: skip
_reason = click.option("--reason", required=True, help="Why; it stands in the fleet's state.")


@click.group()
def fleet() -> None:
    """The hosts of a fleet, and the replacement of those whose seal is broken."""


@fleet.command()
@_settings
@click.option("--host", help="This host, before its deadline too.")
@click.option("--check", is_flag=True, help="Say what would happen, and do nothing.")
def once(settings: Path, host: str | None, check: bool) -> None:
    """Replace the flagged host whose deadline came first; finish or undo what a killed run left. For a timer.

    Exit 0: a host was replaced, or none is due. Exit 1: it was not; the message says whether the old host serves as before.
    """
    with _controller(settings) as controller:
        lives = controller.known() if check else controller.observe()
        life = controller.chosen(lives, host)
        if life is None:
            click.echo("nothing to do: no host is due")
            return
        if check:
            _would(controller, life)
            return
        after = controller.replace(life)
    if after.state is not State.SEALED:
        raise NotReplacedError(
            f"{after.instance.host} was not replaced and serves as before; it is {after.state}: {after.error}",
            hint="hostseal fleet status",
        )
    click.echo(f"{life.instance.host} was replaced by {after.instance.host}")


@fleet.command()
@click.argument("slot")
@_settings
def add(slot: str, settings: Path) -> None:
    """Make the first host of SLOT from the current image, verify it, and send it requests."""
    with _controller(settings) as controller:
        life = controller.add(slot)
    click.echo(f"{life.instance.host} serves at {life.instance.address}")


@fleet.command()
@_settings
@click.option("--json", "as_json", is_flag=True, help="A JSON array, for programs.")
def status(settings: Path, as_json: bool) -> None:
    """Show the fleet's hosts, as the controller and the ledger know them."""
    from hostseal.fleet.record import LedgerFlags

    now = timestamp(datetime.now(UTC))
    with _ledger(settings) as (ledger, store):
        flags = LedgerFlags(ledger).open()
        lives = [lifecycle.known(life, flags.get(life.instance.host), now) for life in store.all()]
    if as_json:
        click.echo(msgspec.json.encode(lives).decode())
        return
    for life in lives:
        click.echo(shown(_line(life)))


@fleet.command()
@click.argument("host")
@_settings
@_reason
def hold(host: str, settings: Path, reason: str) -> None:
    """Let no replacement of HOST begin; one under way goes on."""
    held = Hold(person=getpass.getuser(), reason=reason, since=timestamp(datetime.now(UTC)))
    with life_store(settings) as store:
        store.edit(host, lambda life: lifecycle.held(life, held))


@fleet.command()
@click.argument("host")
@_settings
def unhold(host: str, settings: Path) -> None:
    """Take the hold from HOST."""
    with life_store(settings) as store:
        store.edit(host, lifecycle.unheld)


@fleet.command()
@click.argument("host")
@_settings
def release(host: str, settings: Path) -> None:
    """Let the replacement of a quarantined HOST be tried again, once what failed is mended."""
    with life_store(settings) as store:
        store.edit(host, lambda life: lifecycle.released(life, timestamp(datetime.now(UTC))))


def _would(controller: "Controller", life: Life) -> None:
    if life.state in lifecycle.BUSY:
        successor = lifecycle.attempt(life).successor
        click.echo(f"would go on: {life.instance.host} is {life.state}, its successor is {successor.host}")
        return
    if why := controller.refusal(life):
        raise NotReplacedError(f"would refuse: {why}", hint="nothing was changed")
    for line in controller.steps(life):
        click.echo(f"would {shown(line)}")


def _line(life: Life) -> str:
    instance = life.instance
    words = [f"{instance.host:<24} {life.state:<12} since {in_words(life.since)}  {instance.address}"]
    if life.incident:
        words.append(f"incident {life.incident.id}, due {life.incident.deadline or 'at the next roll'}")
    if life.hold:
        words.append(f"held by {life.hold.person}: {life.hold.reason}")
    if life.error:
        words.append(f"{life.attempts} failed: {life.error}")
    return "  ".join(words)


@contextmanager
def life_store(path: Path) -> Iterator["LifeStore"]:
    """Yield the fleet's state by the controller's settings. ConfigError, LedgerError."""
    with _ledger(path) as (_, store):
        yield store


@contextmanager
def _ledger(path: Path) -> Iterator[tuple["Ledger", "LifeStore"]]:
    from hostseal.clock import SystemClock
    from hostseal.fleet.store import LifeStore
    from hostseal.ledger.book import Ledger

    with Ledger(Path(_read(path).fleet.ledger), SystemClock()) as ledger:
        yield ledger, LifeStore(ledger.database, lambda: datetime.now(UTC))


@contextmanager
def _controller(path: Path) -> Iterator["Controller"]:
    from hostseal.fleet.assemble import assembled
    from hostseal.fleet.controller import Controller
    from hostseal.fleet.holder import this_process

    settings, began = _read(path), time.monotonic()

    def tell(step: str, what: str) -> None:
        click.echo(f"{time.monotonic() - began:7.2f} s  {step:<9} {shown(what)}", err=True)

    # The lease first: what comes next may have to wait for the other controller's OpenTofu.
    with life_store(path) as store, store.lease(this_process()) as lease, assembled(settings, tell) as ports:
        yield Controller(store, lease, ports, attempts=settings.fleet.attempts)


def _read(path: Path) -> "FleetSettings":
    from hostseal.config.load import one_file
    from hostseal.fleet.settings import FleetSettings

    return one_file(path, FleetSettings)
