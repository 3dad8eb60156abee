"""`hostseal enrol`: credentials for new hosts, and what a new host does with its one."""

import secrets
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import msgspec

from hostseal.core.event import timestamp


@click.group()
def enrol() -> None:
    """How a new host takes its place in the fleet."""


@enrol.command()
@click.option("--slot", required=True, help="The place in the fleet, e.g. web-1.")
@click.option("--generation", type=click.IntRange(1), required=True, help="Rises with each replacement.")
@click.option("--instance", type=click.UUID, required=True, help="The instance's id, given at its creation.")
@click.option("--host", required=True, help="The new host's name.")
@click.option("--image", required=True, help="The digest of its image, sha256:HEX.")
@click.option("--key", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
@click.option("--valid-minutes", type=click.IntRange(1, 24 * 60), default=30, show_default=True)
def issue(
    slot: str, generation: int, instance: uuid.UUID, host: str, image: str, key: Path, valid_minutes: int
) -> None:
    """Sign a one-time credential where the enrolment KEY is (never on a host) and print it."""
    from hostseal import keys
    from hostseal.core.enrolment import Claim, Place
    from hostseal.core.enrolment import issue as sign

    claim = Claim(
        place=Place(slot=slot, generation=generation, instance=str(instance), host=host, image=image),
        expires=timestamp(datetime.now(UTC) + timedelta(minutes=valid_minutes)),
        nonce=secrets.token_hex(16),
    )
    click.echo(msgspec.json.encode(sign(claim, keys.private_key(key))).decode())


@enrol.command()
@click.option(
    "--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path("/etc/hostseal")
)
def join(folder: Path) -> None:
    """Make this host's own keys and write down its place; run once, by hostseal-enrol.service."""
    from hostseal.config.load import drop_ins, load
    from hostseal.enrolment import join as first_boot

    joined = first_boot.join(folder, datetime.now(UTC), load(drop_ins()).ledger)
    click.echo(f"{joined.host} is {joined.slot} generation {joined.generation}, instance {joined.instance}")
