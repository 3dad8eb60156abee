"""Everything that is to be true of policies before a bundle is made of them, step by step."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from hostseal.errors import PolicyError
from hostseal.policy import cases, invariant, metadata, patterns, site_file, tools
from hostseal.policy.problem import Problem, Step
from hostseal.policy.replay import Replayer
from hostseal.policy.serving import Source, served
from hostseal.policy.sources import SITE_DATA
from hostseal.policy.staging import Staged, staged


def check(
    policies: Path, rules: Sequence[Path], site: Path | None, more: Sequence[Path] = ()
) -> Iterator[Step]:
    """Yield the steps as they are done; `more` are folders of cases besides those of the rules of one's own.

    What needs a step that has failed is not done: nothing compiles that cannot be read, no test runs that does not compile.
    """
    with ExitStack() as stack:
        laid: list[Staged] = []
        step = _done("rules", lambda: _stage(stack, policies, rules, laid), "no two of one name")
        yield step
        if step.problems:
            return
        [tree] = laid
        fits = _done("site data", lambda: _site(policies, site, rules), "fits the policies' shapes")
        yield fits
        yield _done("format", lambda: tools.formatted(tree), f"{len(tree.files)} files")
        step = _done(
            "compile", lambda: tools.compiled(tree), "strict, by the schemas, nothing but input and data"
        )
        yield step
        if step.problems:
            return
        yield _metadata(tree)
        yield _done("lint", lambda: tools.linted(tree), "Regal")
        yield _done("tests", lambda: _tests(tree, policies), f"cover {tools.COVERAGE:.0f} % and more")
        if not fits.problems:
            yield from _decisions(Source(policies=policies, rules=tuple(rules), site=site), more)


def _site(policies: Path, site: Path | None, rules: Sequence[Path]) -> Iterator[Problem]:
    try:
        site_file.check(policies, site, rules)
    except PolicyError as error:
        yield Problem(where=error.hint, what=error.message)


def _stage(stack: ExitStack, policies: Path, rules: Sequence[Path], laid: list[Staged]) -> Iterator[Problem]:
    try:
        laid.append(stack.enter_context(staged(policies, rules)))
    except PolicyError as error:
        yield Problem(where=error.hint, what=error.message)


def _tests(tree: Staged, policies: Path) -> Iterator[Problem]:
    with staged(policies, ()) as alone:
        yield from tools.tested(alone)
    if tree.rules:
        yield from tools.tested_own(tree)


def _metadata(tree: Staged) -> Step:
    inspected = tools.inspected(tree)
    note = f"{metadata.rules(inspected)} rules with title, description, severity and controls"
    return _done("metadata", lambda: metadata.complete(inspected, tree.real), note)


def _decisions(source: Source, more: Sequence[Path]) -> Iterator[Step]:
    given, bad = cases.found(source.rules, more)
    counts = [0]
    with served(source) as url:
        where = str(source.site or source.policies / SITE_DATA)
        yield _done(
            "patterns", lambda: patterns.untaken(url, where), "OPA takes the site's globs and expressions"
        )
        replayer = Replayer(url)
        yield _done(
            "cases", lambda: [*bad, *cases.failing(replayer, given)], f"{len(given)} decided as they say"
        )
        asked = invariant.inputs(given, source.policies / "schemas")
        step = _done("invariant", lambda: invariant.broken(replayer, asked, counts), "")
    note = f"{counts[0]} inputs, well and malformed, each decided; none refused without a violation"
    yield Step(name=step.name, problems=step.problems, note=note, seconds=step.seconds)


def _done(name: str, work: Callable[[], Iterable[Problem]], note: str) -> Step:
    began = time.monotonic()
    problems = tuple(work())
    return Step(name=name, problems=problems, note=note, seconds=round(time.monotonic() - began, 3))
