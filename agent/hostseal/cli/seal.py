"""`hostseal seal`: makes, checks and compares the signed lists of what images' sealed trees hold."""

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import click
import msgspec

from hostseal import keys
from hostseal.cli.exit_codes import ExitCode
from hostseal.cli.progress import progress
from hostseal.core.seal import Entry, text
from hostseal.core.seal_compare import Difference, attributes
from hostseal.core.text import shown
from hostseal.errors import SealError

_FILE = click.Path(dir_okay=False, path_type=Path)
_ROOT = click.Path(exists=True, file_okay=False, path_type=Path)
_SHOWN_DIFFERENCES = 50
_CACHE = Path("/var/lib/hostseal/seal.cache")
_IDLE_BYTES_PER_SECOND = 64 << 20
_PROGRESS_SECONDS = 1.0


@click.group()
def seal() -> None:
    """The seal: what an image's sealed trees hold, signed when the image is made."""


_jobs = click.option(
    "--jobs", type=click.IntRange(1), help="Processes to use; as many as processors if left out."
)


@seal.command()
@click.argument("root", type=_ROOT)
@click.option("--out", type=_FILE, required=True, help="The manifest to write.")
@click.option("--key", type=_FILE, required=True, help="The seal's private key (Ed25519); never on a host.")
@_jobs
def create(root: Path, out: Path, key: Path, jobs: int | None) -> None:
    """List the sealed trees below ROOT and sign the list; print the image's digest, as JSON."""
    from hostseal.seal import files

    private = keys.private_key(key)
    with progress("sealing", None) as advance:
        made = files.create(root, out, private, jobs=jobs, progress=advance)
    click.echo(msgspec.json.encode({"image": made.image, "entries": made.entries}).decode())


_manifest = click.option(
    "--manifest", type=_FILE, default=Path("/etc/hostseal/image.seal"), show_default=True
)
_public = click.option("--public-key", type=_FILE, default=Path("/etc/hostseal/seal.pub"), show_default=True)
_json = click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")
_root = click.option("--root", type=_ROOT, default=Path("/"), help="The tree to compare, / if left out.")
_image = click.option("--image", help="The digest of the image that it must be the manifest of.")
_instance = click.option("--instance", type=_FILE, default=Path("/etc/hostseal/instance.json"), hidden=True)


@seal.command()
@_manifest
@_public
@_root
@_image
@_instance
@click.option(
    "--quick", is_flag=True, help="Believe that a file whose status is as it was last time is the same."
)
@click.option("--cache", type=_FILE, default=_CACHE, show_default=True, help="What --quick remembers.")
@_jobs
@_json
def verify(
    *,
    manifest: Path,
    public_key: Path,
    root: Path,
    image: str | None,
    instance: Path,
    quick: bool,
    cache: Path,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Compare this host with its image's manifest; exit 8 if anything differs, 2 if the manifest cannot be believed."""
    from hostseal.seal.reading import Reader
    from hostseal.seal.verifying import Verification
    from hostseal.seal.verifying import verify as compared

    how = Verification(root=root, cache=cache if quick else None, jobs=jobs)
    with Reader.open(manifest, keys.public_key(public_key)) as reader:
        _require(reader.header.image, image, root, instance, manifest)
        found: list[Difference] = []
        with progress("comparing", reader.header.entries) as advance:
            for batch in compared(reader, how):
                found += batch.differences
                advance(batch.entries)
        header, own = reader.header, reader.digest
    if as_json:
        report = {
            "intact": not found,
            "image": header.image,
            "manifest": own,
            "entries": header.entries,
            "differences": found,
        }
        click.echo(msgspec.json.encode(report).decode())
    else:
        _table(found)
        state = "broken" if found else "intact"
        click.echo(f"{state}: {header.entries} paths of {header.image}, {len(found)} difference(s)")
    sys.exit(ExitCode.SEAL_BROKEN if found else ExitCode.OK)


@seal.command()
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@_public
@_json
def diff(old: Path, new: Path, public_key: Path, as_json: bool) -> None:
    """Compare the manifests of two images, OLD and NEW; exit 8 if they differ, 2 if one cannot be believed."""
    from hostseal.core.seal_compare import between
    from hostseal.seal.reading import Reader

    key = keys.public_key(public_key)
    count = 0
    with Reader.open(old, key) as before, Reader.open(new, key) as after:
        for one in between(before.listings(), after.listings()):
            count += 1
            click.echo(msgspec.json.encode(one).decode() if as_json else _row(one))
        if not as_json:
            click.echo(f"{count} difference(s): {before.header.image} to {after.header.image}")
    sys.exit(ExitCode.SEAL_BROKEN if count else ExitCode.OK)


@seal.command()
@click.argument("path", type=click.Path(path_type=bytes))
@_manifest
@_public
@_json
def show(path: bytes, manifest: Path, public_key: Path, as_json: bool) -> None:
    """Show what the manifest says of PATH; exit 1 if it says nothing."""
    from hostseal.seal.reading import Reader

    wanted = os.path.abspath(path)
    folder = os.path.dirname(wanted)
    with Reader.open(manifest, keys.public_key(public_key)) as reader:
        listings = (listing for listing in reader.listings() if listing.folder == folder)
        entries = (entry for listing in listings for entry in listing.entries())
        found = [entry for entry in entries if entry.path == text(wanted)]
        image = reader.header.image
    if not found:
        click.echo(f"{shown(text(wanted))}: not in the manifest of {image}", err=True)
        sys.exit(ExitCode.FAILED)
    click.echo(msgspec.json.encode(found[0]).decode() if as_json else _line(found[0], image))


@seal.command(hidden=True)
@_manifest
@_public
@_root
@_image
@_instance
@click.option("--scope", type=click.Path(path_type=bytes), multiple=True, help="Only what is at or below it.")
@click.option("--newest-first", is_flag=True, help="Look at what changed last first, then at all.")
@click.option("--cache", type=_FILE, help="What files held at which status, kept from scan to scan.")
@click.option(
    "--idle", is_flag=True, help="Take what nothing else wants of processors and disks, and not all of that."
)
@_jobs
@click.option("--json-lines", is_flag=True, required=True, help="One JSON object a line.")
def scan(
    *,
    manifest: Path,
    public_key: Path,
    root: Path,
    image: str | None,
    instance: Path,
    scope: tuple[bytes, ...],
    newest_first: bool,
    cache: Path | None,
    idle: bool,
    jobs: int | None,
    json_lines: bool,  # noqa: ARG001 - there is no other form
) -> None:
    """Compare as `verify` does, and print each difference when it is found; only a last line with "done" ends it."""
    from hostseal.seal.idle import stand_back
    from hostseal.seal.newest import newest
    from hostseal.seal.reading import Reader
    from hostseal.seal.verifying import Verification
    from hostseal.seal.verifying import verify as compared

    began = time.monotonic()
    if idle:
        stand_back()
    how = Verification(
        root=root,
        scope=scope,
        cache=cache,
        jobs=1 if idle and jobs is None else jobs,
        bytes_per_second=_IDLE_BYTES_PER_SECOND if idle else 0,
    )
    with Reader.open(manifest, keys.public_key(public_key)) as reader:
        _require(reader.header.image, image, root, instance, manifest)
        say = _Lines()
        say.line({"image": reader.header.image, "manifest": reader.digest, "entries": reader.header.entries})
        if newest_first:
            for batch in newest(reader, how):
                say.first(batch.differences)
        for batch in compared(reader, how):
            say.differences(batch.differences)
            say.add(batch.entries, batch.hashed, batch.cached, batch.unreadable)
    say.line({"done": True, **say.counts, "seconds": round(time.monotonic() - began, 3)})


class _Enrolled(msgspec.Struct, frozen=True):
    image: str


class _Lines:
    """One JSON object a line, each difference once, and now and then how far it is."""

    def __init__(self) -> None:
        self.counts = {"entries": 0, "hashed": 0, "cached": 0, "unreadable": 0}
        self._said: set[Difference] = set()
        self._next = time.monotonic() + _PROGRESS_SECONDS

    def line(self, value: object) -> None:
        sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
        sys.stdout.buffer.flush()

    def first(self, found: Iterable[Difference]) -> None:
        for one in found:
            self._said.add(one)
            self.line(one)

    def differences(self, found: Iterable[Difference]) -> None:
        for one in found:
            if one not in self._said:
                self.line(one)

    def add(self, entries: int, hashed: int, cached: int, unreadable: int) -> None:
        added = {"entries": entries, "hashed": hashed, "cached": cached, "unreadable": unreadable}
        self.counts = {name: count + added[name] for name, count in self.counts.items()}
        if time.monotonic() > self._next:
            self._next = time.monotonic() + _PROGRESS_SECONDS
            self.line({"progress": self.counts})


def _require(image: str, wanted: str | None, root: Path, instance: Path, manifest: Path) -> None:
    """Raise SealError unless the manifest is of the image that was named, or that this host was enrolled as."""
    if wanted is None and root == Path("/"):
        wanted = _own_image(instance)
    if wanted is not None and wanted != image:
        raise SealError(
            f"the manifest is of image {image}, not of {wanted}", hint=str(manifest), cause="other_image"
        )


def _own_image(instance: Path) -> str | None:
    """Return the image that the host was enrolled as, None for a host that was not."""
    try:
        return msgspec.json.decode(instance.read_bytes(), type=_Enrolled).image
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SealError(
            f"what this host was enrolled as cannot be read: {error}", hint=str(instance)
        ) from error


def _table(found: list[Difference]) -> None:
    for difference in found[:_SHOWN_DIFFERENCES]:
        click.echo(_row(difference))
    more = len(found) - _SHOWN_DIFFERENCES
    if more > 0:
        click.echo(f"... and {more} more; --json shows all")


def _row(one: Difference) -> str:
    values = f"  {shown(one.sealed)} -> {shown(one.found)}" if one.sealed else ""
    return f"{one.change:<10} {shown(one.path)}{values}"


def _line(entry: Entry, image: str) -> str:
    what = entry.sha256 or entry.target
    more = f" {shown(attributes(entry))}" if entry.xattrs else ""
    owner = entry.package or "no package"
    return (
        f"{entry.kind} {entry.mode} {entry.uid}:{entry.gid} {shown(what)}{more} {entry.path}"
        f"  {shown(owner)}  ({image})"
    )
