"""`hostseal policy build`: the bundle that hosts get."""

import datetime as dt
import os
from pathlib import Path

import click

from hostseal.cli.duration import DURATION
from hostseal.cli.policy_release import KEY, OPA, OUT, SERVE, STAGE, announce, publish, when

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--policies", type=_FOLDER, required=True)
@click.option("--site", type=_FILE, required=True)
@click.option(
    "--rules", type=_FOLDER, multiple=True, help="A folder of rules of one's own, one folder a rule."
)
@click.option(
    "--capabilities",
    type=_FILE,
    help="What policies may use [default: POLICIES/capabilities.json, or Hostseal's own].",
)
@click.option("--issued", help="now, or RFC 3339 [default: SOURCE_DATE_EPOCH, or the newest commit's time].")
@click.option(
    "--max-age", type=DURATION, help="After how long hosts report that they have no newer one, like 7d."
)
@STAGE
@KEY
@SERVE
@OPA
@OUT
def build(
    *,
    policies: Path,
    site: Path,
    rules: tuple[Path, ...],
    capabilities: Path | None,
    issued: str | None,
    max_age: float | None,
    stage: str | None,
    signing_key: tuple[Path, ...],
    serve: Path | None,
    opa: Path,
    out: Path,
) -> None:
    """Build the bundle from POLICIES and the SITE's data; print its revision and whether it changed, as JSON.

    The same sources, keys and options give the same bytes.
    """
    from hostseal.policy.bundle import sources
    from hostseal.policy.capabilities import FILE
    from hostseal.policy.commits import newest
    from hostseal.policy.packaged import policies as packaged
    from hostseal.policy.release import Release, rollout
    from hostseal.policy.site_file import load

    data = load(site)
    commit = newest([policies, site, *rules])
    asked = issued or os.environ.get("SOURCE_DATE_EPOCH")
    known: dt.datetime | None = None if commit is None else commit.time
    release = Release(
        commit=None if commit is None else str(commit),
        issued=when(asked) if asked else known,
        max_age_seconds=None if max_age is None else int(max_age),
        rollout=None if stage is None else rollout(stage),
    )
    if capabilities is None:
        beside = policies / FILE
        capabilities = beside if beside.is_file() else packaged() / FILE
    announce(publish(opa, sources(policies, data, rules), release, capabilities, signing_key, out, serve))
