"""`hostseal session`: the SSH sessions on this host's record, and the story of one on one page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from hostseal.cli.diffs import Safe, lines
from hostseal.cli.record import summary
from hostseal.cli.terminate import terminate
from hostseal.config.load import state_directory
from hostseal.core.event import in_words
from hostseal.core.session_story import Decided, Story, Summary, Told, choose, name_of, summaries, tell
from hostseal.core.text import shown
from hostseal.spool.reading import SpoolReader

_WIDTH = 12
_PATHS = 40
_state = click.option(
    "--state", type=click.Path(path_type=Path), help="The agent's state directory, where it is not the usual."
)


@click.group()
def session() -> None:
    """SSH sessions, as the agent recorded them."""


session.add_command(terminate)


@session.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")
@click.option(
    "--last", "-n", type=click.IntRange(1), default=20, show_default=True, help="How many, the newest."
)
@_state
def list_(as_json: bool, last: int, state: Path | None) -> None:
    """List the sessions on record, oldest first."""
    for one in summaries(_reader(state).events())[-last:]:
        click.echo(msgspec.json.encode(one).decode() if as_json else shown(_line(one)))


@session.command()
@click.argument("identity", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@_state
def show(identity: str, as_json: bool, state: Path | None) -> None:
    """Tell the story of one session. ID: its audit session id, the id of one of its events, or its logind id."""
    reader = _reader(state)
    known = summaries(reader.events())
    chosen = choose(known, identity, _session_of(reader, identity))
    story = tell(chosen.name, reader.events(), reader.actions())
    if as_json:
        click.echo(msgspec.json.encode(story).decode())
        return
    for name, text in _page(story):
        click.echo(f"{name:<{_WIDTH}}{text if isinstance(text, Safe) else shown(text)}")


def _reader(state: Path | None) -> SpoolReader:
    return SpoolReader((state or state_directory()) / "spool.db")


def _session_of(reader: SpoolReader, identity: str) -> dict[str, Any]:
    found = ((r["event"]["id"], name_of(r["event"])) for r in reader.events() if r["event"]["id"] == identity)
    return {event: name for event, name in found if name is not None}


def _line(one: Summary) -> str:
    until = in_words(one.until) if one.until else "open"
    channels = ", ".join(dict.fromkeys(one.channels)) or "no channel"
    actions = f" -> {', '.join(one.actions)}" if one.actions else ""
    return f"{one.name.audit_session:>6}  {in_words(one.since)} - {until}  {one.user} from {one.source}: {channels}{actions}"


def _page(story: Story) -> Iterator[tuple[str, str]]:
    who = story.session
    logind = f", logind {who['logind_session']}" if who.get("logind_session") else ""
    yield "session", f"{story.name.audit_session} on {story.host}{logind}, boot {story.name.boot_id}"
    yield "who", f"{who.get('user')} from {who.get('source') or 'an unknown address'}{_seen_by(who)}"
    yield from _credential(who.get("key"))
    yield "opened", in_words(story.opened) if story.opened else "its opening is not on record"
    yield from _events("channel", story.channels, "none on record")
    yield from _events("user", story.privilege, "")
    yield from _changes(story.changes)
    for laid in dict.fromkeys((laid.path, laid.kind) for laid in story.laid):
        yield "laid", f"{laid[0]} ({laid[1]})"
    yield from _came_of(story.came_of)
    yield from _commands(story)
    yield from _events("also", story.others, "")
    yield "closed", in_words(story.closed) if story.closed else "not yet, or its end is not on record"
    yield from _left_behind(story)
    for decided in story.decisions:
        yield from _decision(decided)
    for run in story.runs:
        why = f": {run.error}" if run.error else ""
        yield (
            "playbook",
            f"{in_words(run.time)}  {run.action}.yml {run.state}, try {run.attempts}{why} ({run.incident})",
        )


def _seen_by(who: dict[str, Any]) -> str:
    witness = who.get("seen_by", "pam")
    return "" if witness == "pam" else f" (PAM did not tell of it; {witness} did)"


def _credential(key: dict[str, Any] | None) -> Iterator[tuple[str, str]]:
    if key is None:
        yield "key", "none on record: a password, or a login that PAM did not tell of"
        return
    yield "key", f"{key['fingerprint']} ({key['type']})"
    if certificate := key.get("certificate"):
        yield (
            "certificate",
            f"{certificate['key_id']}, serial {certificate['serial']}, by {certificate['ca_fingerprint']}",
        )
        if certificate.get("valid_before"):
            yield "", f"for {', '.join(certificate['principals'])}, until {certificate['valid_before']}"


def _events(name: str, told: tuple[Told, ...], none: str) -> Iterator[tuple[str, str]]:
    for one in told:
        yield name, f"{in_words(one.time)}  {summary({'type': one.type, 'data': one.data})}"
    if not told and none:
        yield name, none


def _changes(changes: tuple[Told, ...]) -> Iterator[tuple[str, str]]:
    for one in changes:
        paths = one.data["paths"]
        by = one.data["writer"].get("exe") or "several programs"
        yield (
            "files",
            f"{in_words(one.time)}  {one.data['count']} change(s) by {by}, {one.data['confidence']}",
        )
        for path in paths[:_PATHS]:
            yield "", f"{path['path']} ({', '.join(path['what'])})"
            yield from (("", Safe(f"  {line}")) for line in lines(path))
        if len(paths) > _PATHS or one.data["truncated"]:
            yield "", f"and more: hostseal log --json has event {one.id}"


def _came_of(changes: tuple[Told, ...]) -> Iterator[tuple[str, str]]:
    """Tell what was done later by what the session had laid: a tie, and never its own doing."""
    for one in changes:
        via, by = one.data["writer"]["via"], one.data["writer"].get("exe") or "several programs"
        yield (
            "came of",
            f"{in_words(one.time)}  {via['path']}: {one.data['count']} change(s) by {by}, inferred",
        )
        for path in one.data["paths"][:_PATHS]:
            yield "", f"{path['path']} ({', '.join(path['what'])})"


def _commands(story: Story) -> Iterator[tuple[str, str]]:
    if story.commands is None:
        yield "commands", "not recorded"
        return
    for batch in story.commands:
        for command in batch.data["commands"]:
            argv = (
                " ".join(command["argv"])
                if command["argv"] is not None
                else f"{command['exe']} (arguments not seen)"
            )
            yield "command", f"{in_words(command['time'])}  {argv}"
        if batch.data["missed"]:
            yield "", f"{batch.data['missed']} more came faster than they could be read"


def _left_behind(story: Story) -> Iterator[tuple[str, str]]:
    for one in story.left_behind:
        yield "left behind", f"{in_words(one.time)}  {one.data['count']} process(es)"
        for process in one.data["processes"]:
            yield "", f"{process['exe'] or 'an unknown program'}, pid {process['pid']}, uid {process['uid']}"
    if story.closed and not story.left_behind:
        yield "left behind", "nothing that was seen"


def _decision(decided: Decided) -> Iterator[tuple[str, str]]:
    asked = f" -> {', '.join(decided.actions)}" if decided.actions else ""
    would = f" (observe mode; would have been: {', '.join(decided.would)})" if decided.would else ""
    yield "decision", f"{in_words(decided.time)}  on {decided.about}{asked}{would}  {decided.id}"
    for finding in decided.findings:
        controls = f" [{', '.join(finding['controls'])}]" if finding["controls"] else ""
        exempt = f" (exempt: {finding['exemption']})" if finding.get("exemption") else ""
        yield "", f"{finding['severity']}, {finding['rule']}{exempt}: {finding['message']}{controls}"
