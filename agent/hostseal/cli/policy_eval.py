"""`hostseal policy eval`: one question, its decision, and why."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from hostseal.cli import policy_options as options
from hostseal.core.text import shown
from hostseal.errors import NoAnswerError
from hostseal.policy.packaged import policies as packaged
from hostseal.policy.question import ENTRY_POINTS

if TYPE_CHECKING:
    from hostseal.core.why import Spoken
    from hostseal.policy.evaluate import Evaluation

_WIDTH = 12


@click.command("eval")
@click.argument("file", type=options.FILE)
@click.option("--id", "name", metavar="DECISION_ID", help="Which one, in a file of many.")
@click.option(
    "--as", "asks", type=click.Choice(list(ENTRY_POINTS)), help="What is asked, where FILE does not show it."
)
@click.option("--bundle", type=options.FILE, help="A bundle to decide by.")
@click.option("--bundle-key", type=options.FILE, help="The public key that verifies a signed bundle.")
@click.option(
    "--policies", type=options.FOLDER, help="Without --bundle: policies; default: the packaged ones."
)
@options.rules
@options.site
@click.option("--explain", metavar="RULE", help="Also OPA's own trace of this rule: the lines that fail.")
@options.as_json
def evaluate(
    *,
    file: Path,
    name: str | None,
    asks: str | None,
    bundle: Path | None,
    bundle_key: Path | None,
    policies: Path | None,
    rules: tuple[Path, ...],
    site: Path | None,
    explain: str | None,
    as_json: bool,
) -> None:
    """Decide the question in FILE, and say which rules fired and why, which were kept from it, what was held back.

    FILE is an event, an input, a case or an entry of a decision log, as JSON or YAML. Exit 0 whatever is decided, 2
    when FILE holds no question, 3 when there is no decision.
    """
    from hostseal.policy.evaluate import evaluate as decide
    from hostseal.policy.evaluate import pick
    from hostseal.policy.serving import Source

    if bundle and (policies or rules or site):
        raise click.UsageError("--bundle holds policies, rules and the site's data already")
    source = Source(bundle=bundle, key=bundle_key, policies=policies or packaged(), rules=rules, site=site)
    found = decide(source, pick(file, name, asks), explain)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        for title, text in _page(found):
            click.echo(f"{title:<{_WIDTH}}{shown(text)}".rstrip())
    if found.decision is None:
        raise NoAnswerError("there is no decision for this", hint=found.where)


def _page(found: "Evaluation") -> Iterator[tuple[str, str]]:
    yield "question", f"{found.asks}, {found.about}"
    decision = found.decision
    if decision is not None:
        yield "allowed", "yes" if decision["allowed"] else "no"
        yield from _headed("violation", decision["violations"])
        yield "actions", ", ".join(decision["actions"]) or "none"
        yield from _headed("held back", [f"{one.action}: {one.because}" for one in found.held])
        if decision.get("deadline_seconds") is not None:
            yield "deadline", f"{decision['deadline_seconds']} s"
    for one in found.rules:
        yield from _rule(one)
    if not found.rules:
        yield "rules", "none fired"
    yield from _headed("trace", found.trace)


def _rule(one: "Spoken") -> Iterator[tuple[str, str]]:
    yield one.voice, f"{one.rule} ({one.severity}): {one.message}"
    if one.because:
        yield "", one.because
    if one.asks:
        yield "", f"asks to {', '.join(one.asks)}"
    if one.controls:
        yield "", ", ".join(one.controls)


def _headed(title: str, lines: "list[str] | tuple[str, ...]") -> Iterator[tuple[str, str]]:
    yield from (("" if number else title, line) for number, line in enumerate(lines))
