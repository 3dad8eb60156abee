"""`hostseal image`: builds host images and moves them from track to track."""

import time
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from hostseal.core.images import Track
from hostseal.core.text import shown
from hostseal.images.catalogue import Catalogue, default_folder

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_catalogue = click.option(
    "--catalogue",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="HOSTSEAL_CATALOGUE",
    help="The catalogue's folder [default: ~/.local/share/hostseal/images].",
)
_launcher = click.option(
    "--launcher",
    "program",
    type=_FILE,
    envvar="HOSTSEAL_LAUNCHER",
    required=True,
    help="The program that makes hosts.",
)


@click.group()
def image() -> None:
    """Images of hosts: built, tested, current, revoked."""


@image.command("list")
@_catalogue
@click.option("--json", "as_json", is_flag=True, help="A JSON array, for programs.")
def list_(folder: Path | None, as_json: bool) -> None:
    """Show the images of the catalogue and their tracks."""
    images = _open(folder).images().images
    if as_json:
        click.echo(msgspec.json.encode(images).decode())
        return
    for one in images:
        click.echo(f"{one.track:<10} {one.digest}  since {one.since}  {shown(one.reason)}".rstrip())


@image.command()
@click.argument("digest")
@_catalogue
def show(digest: str, folder: Path | None) -> None:
    """Show an image's track and provenance, as JSON."""
    from hostseal.images.catalogue import PROVENANCE

    catalogue = _open(folder)
    found = catalogue.images().find(digest)
    provenance = msgspec.json.decode((catalogue.place(found.digest) / PROVENANCE).read_bytes())
    both = {**msgspec.to_builtins(found), "provenance": provenance}
    click.echo(msgspec.json.format(msgspec.json.encode(both), indent=1).decode())


@image.command()
@click.option("--checkout", type=_FOLDER, default=Path(), help="The repository [default: here].")
@click.option("--keys", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--site", type=_FILE, required=True, help="The site's data for the policy bundle, as JSON.")
@click.option("--opa", type=_FILE, envvar="HOSTSEAL_OPA", required=True, help="The opa program.")
@click.option("--wheelhouse", type=_FOLDER, required=True, help="As scripts/wheelhouse prints it.")
@click.option("--variables", type=_FILE, help="Further variables of the roles, as JSON.")
@click.option("--tasks", type=_FILE, help="Ansible tasks that install what the hosts are there for.")
@_catalogue
@click.option("--store", type=click.Path(file_okay=False, path_type=Path), help="Where images are kept.")
@_launcher
@click.option("--anew", is_flag=True, help="Build even if the store has the image of these inputs.")
def build(
    *,
    checkout: Path,
    keys: Path,
    site: Path,
    opa: Path,
    wheelhouse: Path,
    variables: Path | None,
    tasks: Path | None,
    folder: Path | None,
    store: Path | None,
    program: Path,
    anew: bool,
) -> None:
    """Build the image with Packer unless its inputs were built before; print its digest, as JSON.

    The private keys stay in the KEYS folder; seal.key and enrolment.key are made there when they are missing.
    """
    from hostseal.images import store as stores
    from hostseal.images.build import build as build_image
    from hostseal.images.inputs import Inputs
    from hostseal.launcher import Launcher

    inputs = Inputs(
        checkout=checkout.resolve(),
        keys=keys.resolve(),
        site=site.resolve(),
        opa=opa.resolve(),
        wheelhouse=wheelhouse.resolve(),
        variables=None if variables is None else variables.resolve(),
        tasks=None if tasks is None else tasks.resolve(),
    )
    catalogue = _open(folder)
    began = time.monotonic()

    def say(line: str) -> None:
        click.echo(f"image {time.monotonic() - began:6.1f}s  {shown(line)}", err=True)

    built = build_image(
        inputs,
        catalogue,
        stores.Store(store or stores.default_folder()),
        Launcher(program.resolve()),
        say,
        anew=anew,
    )
    say("built" if built.fresh else "the store has the image of these inputs: nothing to build")
    click.echo(msgspec.json.encode(built).decode())


@image.command()
@click.argument("digest")
@_catalogue
@_launcher
def promote(digest: str, folder: Path | None, program: Path) -> None:
    """Make DIGEST the current image, after its boot test: a host from it boots, enrols, is healthy, its seal intact."""
    from hostseal.images.boot_test import promote as promote_tested
    from hostseal.launcher import Launcher

    image_ = promote_tested(_open(folder), Launcher(program.resolve()), digest)
    click.echo(f"{image_.track} {image_.digest}, tested {image_.tested}")


@image.command()
@click.argument("digest")
@click.option("--reason", required=True, help="Why; it is shown to whoever wants to use the image.")
@_catalogue
def revoke(digest: str, reason: str, folder: Path | None) -> None:
    """Revoke an image for good: no host is made from it any more."""
    from hostseal.core.images import revoked

    catalogue = _open(folder)
    found = catalogue.images().find(digest)
    catalogue.change(lambda images: revoked(images, found.digest, reason, datetime.now(UTC)))
    click.echo(f"revoked {found.digest}")
    if found.track is Track.CURRENT:
        click.echo("no image is current now: hostseal image promote", err=True)


def _open(folder: Path | None) -> Catalogue:
    return Catalogue(folder or default_folder())
