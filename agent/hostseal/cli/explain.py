"""`hostseal explain`: why a host was flagged and what became of it, on one page."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from hostseal.cli.diffs import Safe, of_event
from hostseal.cli.ledger import DATA
from hostseal.cli.record import summary
from hostseal.clock import SystemClock
from hostseal.core.event import in_words
from hostseal.core.text import shown
from hostseal.errors import LedgerError

if TYPE_CHECKING:
    from hostseal.ledger.story import Chapter, Replacement, Story

_WIDTH = 12


@click.command()
@click.argument("host")
@click.option("--incident", help="Another incident than the host's newest.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), default=DATA, show_default=True,
    envvar="HOSTSEAL_LEDGER", help="Where the ledger lies.",
)  # fmt: skip
def explain(host: str, incident: str | None, as_json: bool, data: Path) -> None:
    """Tell HOST's incident: login, channel, files, decision, playbook, flag, evidence, new host."""
    from hostseal.ledger.book import Ledger
    from hostseal.ledger.search import Query
    from hostseal.ledger.story import RECORDS, tell

    with Ledger(data, SystemClock()) as ledger:
        story = tell(ledger.newest(Query(host=host), RECORDS), incident)
    if story is None:
        which = f"incident {incident}" if incident else "flag"
        raise LedgerError(f"the ledger has no {which} of {host}", hint="hostseal ledger search --kind flag")
    if as_json:
        click.echo(msgspec.json.encode(story).decode())
        return
    for name, text in _page(story):
        click.echo(f"{name:<{_WIDTH}}{text if isinstance(text, Safe) else shown(text)}")


def _page(story: "Story") -> Iterator[tuple[str, str]]:
    yield "host", story.host
    yield "incident", f"{story.incident}, raised {_at(story.raised)} by {_who(story.cause)}"
    if story.login:
        login = story.login
        with_what = f" with key {login.key}" if login.key else ""
        yield "login", f"{_at(login.time)}  {login.user} from {login.source}{with_what}"
    else:
        yield "login", "none on record: the flag goes back to no SSH session"
    for chapter in story.chapters:
        yield from _chapter(chapter)
    for reason in story.reasons:
        yield "flag", reason
    yield "deadline", _at(story.deadline) if story.deadline else "the next roll"
    for run in story.playbooks:
        why = f": {run.error}" if run.error else ""
        yield "playbook", f"{_at(run.time)}  {run.action}.yml {run.state}, try {run.attempts}{why}"
    for pardon in story.pardons:
        yield "pardon", pardon
    for replacement in story.replacements:
        yield from _replacement(replacement)
    if not story.replacements:
        yield "replaced", "not yet"


def _chapter(chapter: "Chapter") -> Iterator[tuple[str, str]]:
    event = {"type": chapter.type, "data": chapter.data}
    if chapter.type != "session.opened":
        yield chapter.type.partition(".")[2], f"{_at(chapter.time)}  {summary(event)}"
        yield from (("", line) for line in of_event(event))
    if not chapter.actions and not chapter.findings:
        return
    asked = f" -> {', '.join(chapter.actions)}" if chapter.actions else ""
    where = "in OPA's log" if chapter.logged else "NOT in OPA's log"
    yield "decision", f"{chapter.decision}{asked}  (policy {chapter.revision or 'unknown'}, {where})"
    for finding in chapter.findings:
        controls = f" [{', '.join(finding.controls)}]" if finding.controls else ""
        exempt = f" (exempt: {finding.exemption})" if finding.exemption else ""
        yield "", f"{finding.severity}, {finding.rule}{exempt}: {finding.sentence}{controls}"


def _replacement(replacement: "Replacement") -> Iterator[tuple[str, str]]:
    yield "evidence", replacement.evidence
    for step in replacement.steps:
        why = f": {step.why}" if step.why else ""
        yield "replaced", f"{_at(step.time)}  {step.step}{why}"
    successor = replacement.successor
    name = successor.get("name") or f"{successor.get('slot')}-g{successor.get('generation')}"
    yield "new host", f"{name}, instance {successor.get('id')}, image {successor.get('image')}"


def _at(moment: str) -> str:
    """Return a moment in words; what a host says may be none."""
    try:
        return in_words(moment)
    except ValueError:
        return moment


def _who(cause: str) -> str:
    return "the policy on the host" if cause == "policy" else f"the ledger ({cause})"
