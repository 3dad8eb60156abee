"""`hostseal policy promote`: the same policies and data at another stage of their roll-out."""

from pathlib import Path

import click

from hostseal.cli.policy_release import KEY, OPA, OUT, SERVE, announce, publish, when
from hostseal.errors import PolicyError


@click.command()
@click.argument("bundle", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--stage",
    default="promoted",
    show_default=True,
    help="observe, promoted, PERCENT of the hosts, or ACTION=PERCENT,...",
)
@click.option("--issued", default="now", show_default=True, help="When: now, or RFC 3339.")
@KEY
@SERVE
@OPA
@OUT
def promote(
    *,
    bundle: Path,
    stage: str,
    issued: str,
    signing_key: tuple[Path, ...],
    serve: Path | None,
    opa: Path,
    out: Path,
) -> None:
    """Make of a BUNDLE that one of the keys signed the one of its next stage; print its revision, as JSON.

    Nothing else in it changes: what was watched is what comes into force. It is issued now, so that it is later than BUNDLE.
    """
    from hostseal.policy import bundle as bundles
    from hostseal.policy.release import after, rollout
    from hostseal.policy.signing import SigningKey

    if not signing_key:
        raise PolicyError("only what is signed can be promoted", hint="give --signing-key")
    stages = rollout(stage)
    content = bundles.read(opa, bundle, [SigningKey(key).public for key in signing_key])
    announce(publish(opa, content, after(content, when(issued), stages), None, signing_key, out, serve))
