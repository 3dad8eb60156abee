"""`hostseal config`: checks and shows the agent's settings."""

from pathlib import Path

import click
import msgspec

from hostseal.config.load import drop_ins, load


@click.group()
def config() -> None:
    """The agent's settings."""


@config.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Check FILES, or the files the agent reads; an error names file, line, key and allowed values (exit 2)."""
    checked = files or drop_ins()
    load(checked)
    click.echo(f"{len(checked)} file(s), no error")


@config.command()
def show() -> None:
    """Show the settings in force once all files are merged, as JSON."""
    click.echo(msgspec.json.format(msgspec.json.encode(load(drop_ins())), indent=2).decode())
