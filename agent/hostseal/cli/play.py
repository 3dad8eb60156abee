"""`hostseal play`: asks the policy about playbooks before they run, in CI for one."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import msgspec

from hostseal.cli.exit_codes import ExitCode
from hostseal.core.text import shown
from hostseal.policy.answer import Answer

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def play() -> None:
    """Plays and the policy."""


@play.command()
@click.argument("playbook", type=_FILE)
@click.option("-i", "--inventory", multiple=True, required=True, help="As ansible-playbook takes it.")
@click.option("-l", "--limit", help="Only these hosts, as ansible-playbook takes it.")
@click.option("-t", "--tags", multiple=True, help="Only tasks with these tags.")
@click.option("--skip-tags", multiple=True, help="No tasks with these tags.")
@click.option("-e", "--extra-vars", multiple=True, help="Variables, as ansible-playbook takes them.")
@click.option("--vault-password-file", type=_FILE, help="For encrypted variables.")
@click.option("--opa-url", help="An OPA that runs already, like https://opa.example.org:8181.")
@click.option("--ca", type=_FILE, help="The authority of its certificate.")
@click.option("--token-file", type=_FILE, help="Its API token.")
@click.option("--bundle", type=_FILE, help="Without --opa-url: a bundle for an OPA of its own.")
@click.option("--bundle-key", type=_FILE, help="The public key that verifies a signed bundle.")
@click.option(
    "--policies", type=_FOLDER, help="Without --opa-url and --bundle: policies; else the packaged ones."
)
@click.option("--site", type=_FILE, help="With policies: the site's data (JSON).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
def check(
    *,
    playbook: Path,
    opa_url: str | None,
    ca: Path | None,
    token_file: Path | None,
    bundle: Path | None,
    bundle_key: Path | None,
    policies: Path | None,
    site: Path | None,
    as_json: bool,
    **run: Any,
) -> None:
    """Ask the policy about each play of PLAYBOOK. Exit 0 allowed, 1 refused, 2 bad input, 3 no answer."""
    from hostseal.plays import asking
    from hostseal.plays.loading import Run, questions

    if opa_url and (bundle or policies or site):
        raise click.UsageError("--opa-url names an OPA that has its own policies and data")
    if bundle and (policies or site):
        raise click.UsageError("--bundle holds policies and the site's data already")
    asked = questions(Run(playbook=playbook, **run))
    with ExitStack() as stack:
        if opa_url:
            engine = asking.running(opa_url, ca, token_file)
        else:
            engine = stack.enter_context(asking.own(bundle, bundle_key, policies, site))
        answers = [engine.ask(asking.PLAY_DECISION, dict(question)) for question in asked]
    plays = [_report(question["play"], answer) for question, answer in zip(asked, answers, strict=True)]
    allowed = all(one["allowed"] for one in plays)
    if as_json:
        click.echo(json.dumps({"playbook": str(playbook), "allowed": allowed, "plays": plays}))
    else:
        click.echo("\n".join(_lines(plays)))
    sys.exit(ExitCode.OK if allowed else ExitCode.REFUSED)


def _report(asked: dict[str, Any], answer: Answer) -> dict[str, Any]:
    decision: dict[str, Any] = msgspec.to_builtins(answer.decision)
    return {
        "name": asked["name"],
        "hosts": asked["hosts"],
        "tasks": len(asked["tasks"]),
        **{key: decision[key] for key in ("allowed", "violations", "findings", "would")},
        "decision_id": answer.decision_id,
    }


def _lines(plays: Sequence[dict[str, Any]]) -> Iterator[str]:
    rows = [("ANSWER", "HOSTS", "TASKS", "PLAY")]
    rows += [(_word(one), str(len(one["hosts"])), str(one["tasks"]), shown(one["name"])) for one in plays]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row, said in zip(rows, [[], *map(_sentences, plays)], strict=True):
        yield "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
        yield from (f"  -> {shown(sentence)}" for sentence in said)


def _word(one: dict[str, Any]) -> str:
    if not one["allowed"]:
        return "refused"
    return "would be refused" if one["would"] else "allowed"


def _sentences(one: dict[str, Any]) -> list[str]:
    return [*one["violations"]] or [finding["message"] for finding in one["findings"]]
