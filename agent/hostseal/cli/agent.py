"""`hostseal agent`: runs the agent."""

from pathlib import Path

import click


@click.group()
def agent() -> None:
    """The agent on this host."""


@agent.command()
@click.option(
    "--trial",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Watch DIR without root or systemd, with an OPA of its own; Ctrl-C ends it.",
)
@click.option(
    "--state", type=click.Path(file_okay=False, path_type=Path), help="Where a trial keeps its records."
)
def run(trial: Path | None, state: Path | None) -> None:
    """Run the agent in the foreground (under systemd: hostseal.service)."""
    if trial is not None:
        from hostseal.trial import session

        session.run(trial, state)
        return
    if state is not None:
        raise click.UsageError("--state goes with --trial; a service's state is the setting agent.state")
    from hostseal import service

    service.run()


@agent.command()
@click.argument("path", required=False, type=click.Path(path_type=bytes))
def scan(path: bytes | None) -> None:
    """Have the running agent compare the host, or what is at and below PATH, with the seal now.

    What differs is an event, as after any scan; `hostseal seal verify` compares and tells you instead.
    """
    import os

    from hostseal.cli.control import ask
    from hostseal.core.seal import text
    from hostseal.errors import SealError

    message = {"op": "scan"} if path is None else {"op": "scan", "path": text(os.path.abspath(path))}
    said = ask(message)
    if not said.get("ok"):
        raise SealError(str(said.get("error")))
    click.echo(f"asked for: {said['entries']} paths of {said['image']}; `hostseal status` shows the scan")
