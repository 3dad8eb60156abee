"""`hostseal policy new`: the first draft of a rule of one's own."""

from pathlib import Path

import click

from hostseal.core.text import shown


@click.command()
@click.argument("rule")
@click.option(
    "--rules",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("rules"),
    show_default=True,
    help="The folder of one's own rules.",
)
def new(rule: str, rules: Path) -> None:
    """Write the rule RULE, with its test and a case; `hostseal policy check` takes it as it is."""
    from hostseal.policy.scaffold import new as write

    for path in write(rule, rules):
        click.echo(f"wrote {shown(str(path))}")
