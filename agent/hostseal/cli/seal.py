"""`hostseal seal`: makes and checks the signed list of what an image's sealed trees hold."""

import sys
from pathlib import Path

import click
import msgspec

from hostseal import keys
from hostseal.cli.exit_codes import ExitCode
from hostseal.core.seal import Entry, Manifest, text
from hostseal.core.text import shown

_FILE = click.Path(dir_okay=False, path_type=Path)
_SHOWN_DIFFERENCES = 50


@click.group()
def seal() -> None:
    """The seal: what an image's sealed trees hold, signed when the image is made."""


@seal.command()
@click.argument("root", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=_FILE, required=True, help="The manifest to write.")
@click.option("--key", type=_FILE, required=True, help="The seal's private key (Ed25519); never on a host.")
def create(root: Path, out: Path, key: Path) -> None:
    """List the sealed trees below ROOT and sign the list; print the image's digest, as JSON."""
    from hostseal.seal import files

    made = files.create(root, out, keys.private_key(key))
    click.echo(msgspec.json.encode({"image": made.image, "entries": len(made.entries)}).decode())


_manifest = click.option(
    "--manifest", type=_FILE, default=Path("/etc/hostseal/image.seal"), show_default=True
)
_public = click.option("--public-key", type=_FILE, default=Path("/etc/hostseal/seal.pub"), show_default=True)


@seal.command()
@_manifest
@_public
@click.option("--root", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path("/"))
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
def verify(manifest: Path, public_key: Path, root: Path, as_json: bool) -> None:
    """Compare this host with its image's manifest; exit 8 if anything differs, 2 if the manifest cannot be believed."""
    from hostseal.seal import files

    sealed = files.load(manifest, keys.public_key(public_key))
    found = files.differences(sealed, root)
    if as_json:
        report = {
            "intact": not found,
            "image": sealed.image,
            "manifest": files.digest(manifest),
            "entries": len(sealed.entries),
            "differences": found,
        }
        click.echo(msgspec.json.encode(report).decode())
    else:
        for difference in found[:_SHOWN_DIFFERENCES]:
            click.echo(
                f"{difference.change:<10} {shown(difference.path)}"
                + (f"  {shown(difference.sealed)} -> {shown(difference.found)}" if difference.sealed else "")
            )
        more = len(found) - _SHOWN_DIFFERENCES
        if more > 0:
            click.echo(f"... and {more} more; --json shows all")
        state = "broken" if found else "intact"
        click.echo(f"{state}: {len(sealed.entries)} paths of {sealed.image}, {len(found)} difference(s)")
    sys.exit(ExitCode.SEAL_BROKEN if found else ExitCode.OK)


@seal.command()
@click.argument("path", type=click.Path(path_type=bytes))
@_manifest
@_public
@click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")
def show(path: bytes, manifest: Path, public_key: Path, as_json: bool) -> None:
    """Show what the manifest says of PATH; exit 1 if it says nothing."""
    from hostseal.seal import files

    sealed = files.load(manifest, keys.public_key(public_key))
    entry = next((entry for entry in sealed.entries if entry.path == text(path)), None)
    if entry is None:
        click.echo(f"{shown(text(path))}: not in the manifest of {sealed.image}", err=True)
        sys.exit(ExitCode.FAILED)
    click.echo(msgspec.json.encode(entry).decode() if as_json else _line(entry, sealed))


def _line(entry: Entry, sealed: Manifest) -> str:
    what = entry.sha256 or entry.target
    return f"{entry.kind} {entry.mode} {entry.uid}:{entry.gid} {shown(what)} {entry.path}  ({sealed.image})"
