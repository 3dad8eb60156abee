"""`hostseal policy check` and `test`: whether policies hold, before a bundle is made of them."""

import sys
from pathlib import Path

import click
import msgspec

from hostseal.cli import policy_options as options
from hostseal.cli.exit_codes import ExitCode
from hostseal.core.text import shown
from hostseal.policy.problem import Step


@click.command()
@options.policies
@options.rules
@options.site
@click.option(
    "--cases", type=options.FOLDER, multiple=True, help="A folder of cases, besides those of the rules."
)
@options.as_json
def check(
    policies: Path, rules: tuple[Path, ...], site: Path | None, cases: tuple[Path, ...], as_json: bool
) -> None:
    """Check policies, rules of one's own and the site's data: all that is to hold before they are built.

    Exit 0 when they do, 1 when they do not; each fault names file and line, and what to do.
    """
    from hostseal.policy.check import check as steps

    done: list[Step] = []
    for step in steps(policies, rules, site, cases):
        done.append(step)
        if not as_json:
            _show(step)
    good = not any(step.problems for step in done)
    if as_json:
        whole = {"ok": good, "steps": msgspec.to_builtins(done)}
        click.echo(msgspec.json.encode(whole).decode())
    sys.exit(ExitCode.OK if good else ExitCode.FAILED)


def _show(step: Step) -> None:
    word = "FAILED" if step.problems else "ok"
    note = f"{len(step.problems)} problem(s)" if step.problems else step.note
    click.echo(f"{word:<7} {step.name:<10} {step.seconds:6.1f} s  {note}")
    for problem in step.problems:
        where = f"{problem.where}: " if problem.where else ""
        lines = problem.what.splitlines() or [""]
        click.echo(f"  {shown(where + lines[0])}")
        for line in lines[1:]:
            click.echo(f"    {shown(line)}")
        if problem.hint:
            click.echo(f"    -> {shown(problem.hint)}")


@click.command("test")
@options.policies
@options.rules
@click.option(
    "--run", metavar="REGEX", help="Only tests whose names match, like data.hostseal.rules.night_shift_test."
)
def run_tests(policies: Path, rules: tuple[Path, ...], run: str | None) -> None:
    """Run the tests of one's own rules, or without --rules of Hostseal's policies; --run chooses among all.

    Exit 0 when all pass, 1 when one fails or when there is none.
    """
    from hostseal.policy.staging import staged
    from hostseal.policy.tools import run_tests as tests

    with staged(policies, rules) as tree:
        status = tests(tree, run)
    sys.exit(ExitCode.OK if status == 0 else ExitCode.FAILED)
