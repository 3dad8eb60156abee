"""`hostseal policy build`: the bundle that hosts get."""

import json
from pathlib import Path

import click

from hostseal.errors import PolicyError


@click.command()
@click.option("--policies", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--site", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
@click.option(
    "--rules",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="A folder of rules of one's own, one folder a rule.",
)
@click.option("--signing-key", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--opa", type=click.Path(dir_okay=False, path_type=Path), envvar="HOSTSEAL_OPA", default="opa")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
def build(
    policies: Path, site: Path, rules: tuple[Path, ...], signing_key: Path | None, opa: Path, out: Path
) -> None:
    """Build the bundle from POLICIES and the SITE's data; print its revision and whether it changed, as JSON."""
    from hostseal.policy.bundle import build as build_bundle

    try:
        data = json.loads(site.read_bytes())
    except ValueError as error:
        raise PolicyError(f"not valid JSON: {error}", hint=str(site)) from error
    marker = out.with_name(out.name + ".revision")
    before = marker.read_text("ascii") if marker.exists() and out.exists() else None
    revision = build_bundle(opa, policies, data, out, signing_key, rules)
    marker.write_text(revision, "ascii")
    click.echo(json.dumps({"revision": revision, "changed": revision != before}))
