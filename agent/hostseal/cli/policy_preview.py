"""`hostseal policy preview`: what other policies would have made of what is on record."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from hostseal.cli import policy_options as options
from hostseal.cli.exit_codes import ExitCode
from hostseal.cli.progress import progress
from hostseal.cli.tables import echo_table
from hostseal.core.text import shown
from hostseal.errors import BadInputError
from hostseal.policy.packaged import policies as packaged

if TYPE_CHECKING:
    from hostseal.core.preview import HostChange, Preview, RuleChange, Turned
    from hostseal.policy.preview import Left, Report

_ROWS = 40
_NAMED = 10
_WORDS = {"break_glass": "break-glass", "replace": "replacement"}


@click.command()
@click.option("--bundle", type=options.FILE, help="The new bundle.")
@click.option("--bundle-key", type=options.FILE, help="The public key that verifies a signed bundle.")
@click.option(
    "--policies", type=options.FOLDER, help="Without --bundle: policies; default: the packaged ones."
)
@options.rules
@options.site
@click.option(
    "--against",
    type=click.Path(exists=True, path_type=Path),
    required=True,
    help="Recorded decisions: a decision log, an export of the ledger, cases, or a folder of them.",
)
@click.option(
    "--max-new-flags", type=click.IntRange(0), help="Exit 1 when more hosts than this would be newly flagged."
)
@click.option(
    "--max-left", type=click.IntRange(0), help="Exit 1 when more entries than this could not be replayed."
)
@click.option(
    "--staged", is_flag=True, help="As the bundle decides in its stage, not as it will once promoted."
)
@options.as_json
def preview(
    *,
    bundle: Path | None,
    bundle_key: Path | None,
    policies: Path | None,
    rules: tuple[Path, ...],
    site: Path | None,
    against: Path,
    max_new_flags: int | None,
    max_left: int | None,
    staged: bool,
    as_json: bool,
) -> None:
    """Replay recorded decisions against new policies, and show what would change.

    Exit 0, whatever changes; with --max-new-flags exit 1 when more hosts would be newly flagged, or when the new policies
    have no decision where there was one; with --max-left exit 1 when more entries were left out. 2 when nothing could be
    replayed.
    """
    from hostseal.policy.preview import preview as replay
    from hostseal.policy.serving import Source

    if bundle and (policies or rules or site):
        raise click.UsageError("--bundle holds policies, rules and the site's data already")
    source = Source(bundle=bundle, key=bundle_key, policies=policies or packaged(), rules=rules, site=site)
    with progress("decisions read", None) as done:
        report = replay(source, against, done, staged=staged)
    left = sum(one.count for one in report.left if _is_lost(one))
    within = _within(report.preview, max_new_flags) and (max_left is None or left <= max_left)
    if as_json:
        whole = {"within": within, **msgspec.to_builtins(report.preview)}
        whole |= {"left": msgspec.to_builtins(report.left), "errors": report.errors}
        click.echo(msgspec.json.encode(whole).decode())
    else:
        _show(report)
    if not report.preview.replayed:
        raise BadInputError("there is no recorded decision to replay", hint=str(against))
    if not within:
        _say_why(report.preview, max_new_flags)
        if max_left is not None and left > max_left:
            click.echo(f"hostseal: {left} entries could not be replayed, more than {max_left}", err=True)
        sys.exit(ExitCode.REFUSED)


def _within(found: "Preview", limit: int | None) -> bool:
    return limit is None or (len(found.flagged) <= limit and not found.undecided)


def _say_why(found: "Preview", limit: int | None) -> None:
    if limit is not None and len(found.flagged) > limit:
        click.echo(
            f"hostseal: {len(found.flagged)} hosts would be newly flagged, more than {limit}", err=True
        )
    if found.undecided:
        times = sum(one.times for one in found.undecided)
        click.echo(f"hostseal: {times} decisions would be none at all", err=True)


def _show(report: "Report") -> None:
    found = report.preview
    click.echo(f"{found.replayed} decisions replayed, {found.changed} would change.")
    for line in _summary(found):
        click.echo(f"  {line}")
    if found.rules:
        click.echo()
        echo_table(
            ("RULE", "FINDINGS", "BREAKS THE SEAL", "SAYS OTHERWISE", "HOSTS"), [*map(_rule, found.rules)]
        )
    if found.hosts:
        click.echo()
        _show_rows(("HOST", "CHANGES", "FLAGS", "HELD BACK", ""), [*map(_host, _worst_first(found.hosts))])
    turned = [*_turned("would be refused", found.refused), *_turned("would be allowed", found.admitted)]
    turned += _turned("would get no decision", found.undecided)
    if turned:
        click.echo()
        _show_rows(("WHAT", "ABOUT", "TIMES", "", "WHY"), turned)
    for line in _not_replayed(report.left, report.errors):
        click.echo(shown(line))


def _summary(found: "Preview") -> Iterator[str]:
    if found.flagged:
        yield f"newly flagged: {_names(found.flagged)}"
    if found.freed:
        yield f"no more flagged: {_names(found.freed)}"
    for one in found.actions:
        yield f"{one.action}: {_plus_minus(one.new, one.gone)} decisions"
    if found.deadlines:
        yield f"another deadline: {found.deadlines} decisions"
    if found.decided:
        yield f"decided, where there was no decision: {found.decided}"
    if found.never:
        yield f"no decision before, and none now: {found.never}"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{len(names)} ({', '.join(map(shown, names[:_NAMED]))}{more})"


def _rule(one: "RuleChange") -> tuple[str, ...]:
    return (
        one.rule,
        _plus_minus(one.new, one.gone),
        _plus_minus(one.breaks, one.breaks_no_more),
        str(one.otherwise),
        str(one.hosts),
    )


def _worst_first(hosts: Sequence["HostChange"]) -> list["HostChange"]:
    return sorted(hosts, key=lambda one: (not one.flagged, not one.freed, -one.changed, one.host))


def _host(one: "HostChange") -> tuple[str, ...]:
    word = "newly flagged" if one.flagged else "no more flagged" if one.freed else ""
    held = _turns(one.would_before, one.would_after)
    return one.host, str(one.changed), _turns(one.before, one.after), held, word


def _turns(before: int, after: int) -> str:
    return f"{before} -> {after}" if before != after else str(before)


def _plus_minus(new: int, gone: int) -> str:
    return " ".join([*([f"+{new}"] if new else []), *([f"-{gone}"] if gone else [])]) or "0"


def _turned(how: str, some: Sequence["Turned"]) -> list[tuple[str, ...]]:
    return [(_WORDS.get(one.asks, one.asks), one.about, str(one.times), how, one.why) for one in some]


def _show_rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    echo_table(head, rows[:_ROWS])
    if len(rows) > _ROWS:
        click.echo(f"and {len(rows) - _ROWS} more: --json lists them")


def _is_lost(left: "Left") -> bool:
    """Tell whether these are decisions; the others are none, or were replayed where they stand elsewhere."""
    from hostseal.policy.preview import REPEATED

    return left.kind != REPEATED and not left.kind.startswith("other")


def _not_replayed(left: Sequence["Left"], errors: Sequence[str]) -> Iterator[str]:
    for one in left:
        yield f"not replayed, {one.kind}: {one.count}"
        if _is_lost(one):
            yield from (f"  {first}" for first in one.first)
    if errors:
        yield "OPA could not evaluate:"
        yield from (f"  {error}" for error in errors)
