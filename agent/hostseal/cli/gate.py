"""`hostseal gate`: whether the login gate refuses, and who may say so."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from hostseal.cli.control import ask
from hostseal.core.event import in_words
from hostseal.core.text import shown
from hostseal.errors import ArmingError

_UNSET = 0xFFFF_FFFF


@click.group()
def gate() -> None:
    """The login gate of this host; needs root."""


@gate.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
def status(as_json: bool) -> None:
    """Say whether the gate refuses, since when and why."""
    _say(_told({"op": "gate"})["gate"], as_json=as_json)


@gate.command()
def confirm() -> None:
    """Arm the gate for good, from a connection that has come in through it."""
    session = int(Path("/proc/self/sessionid").read_text("ascii"))
    _say(_told({"op": "gate_confirm", "audit_session": None if session == _UNSET else session})["gate"])


@gate.command()
@click.option("--person", required=True, help="Who switches it off.")
@click.option("--reason", required=True, help="Why.")
def disarm(person: str, reason: str) -> None:
    """Switch the gate off; it is recorded, and break-glass arms it again."""
    _say(_told({"op": "gate_disarm", "person": person, "reason": reason})["gate"])


def _told(message: dict[str, Any]) -> dict[str, Any]:
    reply = ask(message)
    if reply.get("ok") is not True:
        raise ArmingError(str(reply.get("error")))
    return reply


def _say(state: dict[str, str | None], *, as_json: bool = False) -> None:
    click.echo(
        msgspec.json.encode(state).decode() if as_json else f"The login gate is {shown(in_a_line(state))}."
    )


def in_a_line(state: Mapping[str, str | None]) -> str:
    """Return the gate's state, since when and why, and when it ends by itself."""
    since = f" since {in_words(state['since'])}" if state["since"] else ""
    until = f"; it goes off at {in_words(state['until'])} unless confirmed" if state["until"] else ""
    return f"{state['state']}{since}: {state['cause']}{until}"
