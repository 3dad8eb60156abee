"""`hostseal policy keys`: the keys that bundles are signed and verified by."""

import json
from pathlib import Path

import click


@click.group()
def keys() -> None:
    """The keys that bundles are signed and verified by."""


@keys.command()
@click.argument("private", type=click.Path(dir_okay=False, path_type=Path))
def new(private: Path) -> None:
    """Make a key pair: PRIVATE, for its owner alone, and beside it the public half, `.pub`; print its id, as JSON."""
    from hostseal.policy.signing import generate_key_pair

    public = private.with_suffix(".pub")
    generate_key_pair(private, public)
    _tell(public)


@keys.command()
@click.argument("public", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def show(public: Path) -> None:
    """Print a public key's id and algorithm, as JSON."""
    _tell(public)


def _tell(public: Path) -> None:
    from hostseal.policy.signing import named

    found = named(public)
    click.echo(json.dumps({"id": found.id, "algorithm": found.algorithm, "public": str(public)}))
