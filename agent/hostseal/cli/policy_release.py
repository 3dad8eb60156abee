"""What `hostseal policy build` and `promote` have in common: options, where bundles go, and what is printed."""

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hostseal.errors import PolicyError

if TYPE_CHECKING:
    from hostseal.policy.content import Content
    from hostseal.policy.release import Release

SERVED = "bundle.tar.gz"

STAGE = click.option("--stage", help="observe, promoted, PERCENT of the hosts, or ACTION=PERCENT,...")
KEY = click.option(
    "--signing-key",
    type=click.Path(dir_okay=False, path_type=Path),
    multiple=True,
    help="A private key. OUT is signed by the first; each has its own folder in SERVE.",
)
SERVE = click.option(
    "--serve",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help=f"Also write KEY-ID/{SERVED} here for each key: what a web server gives to hosts.",
)
OPA = click.option(
    "--opa", type=click.Path(dir_okay=False, path_type=Path), envvar="HOSTSEAL_OPA", default="opa"
)
OUT = click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)


def when(asked: str) -> dt.datetime:
    """Return the time that `--issued` says: `now`, or as :func:`hostseal.policy.release.moment`."""
    from hostseal.policy.release import moment

    return dt.datetime.now(dt.UTC).replace(microsecond=0) if asked == "now" else moment(asked)


def publish(
    opa: Path,
    content: "Content",
    release: "Release",
    capabilities: Path | None,
    keys: tuple[Path, ...],
    out: Path,
    serve: Path | None,
) -> dict[str, Any]:
    """Make the bundle for each key and write all of them, or none; return what is to be printed.

    PolicyError, beside those of :func:`hostseal.policy.bundle.make`, when what is served already was issued later:
    hosts would report that their policies went back.
    """
    from hostseal.policy.bundle import make

    if serve is not None and not keys:
        raise PolicyError(
            "hosts take no bundle over the network that is not signed", hint="give --signing-key"
        )
    bundles = [make(opa, content, key, release, capabilities) for key in keys or (None,)]
    places = [(out, bundles[0])]
    if serve is not None:
        served = [(serve / bundle.key.id / SERVED, bundle) for bundle in bundles if bundle.key is not None]
        for place, _ in served:
            _forward_only(place, release)
            place.parent.mkdir(exist_ok=True)
        places += served
    changed = [bundle.write(place) for place, bundle in places]
    first = bundles[0].key
    return {
        "revision": bundles[0].revision,
        "changed": any(changed),
        "key": None if first is None else {"id": first.id, "algorithm": first.algorithm},
        "served": [str(place) for place, _ in places[1:]],
    }


def announce(published: dict[str, Any]) -> None:
    """Print it, for programs."""
    click.echo(json.dumps(published))


def _forward_only(place: Path, release: "Release") -> None:
    from hostseal.policy.bundle import unverified
    from hostseal.policy.release import issued, rfc3339

    if not place.exists():
        return
    before = issued(unverified(place))
    if before is not None and (release.issued is None or release.issued < before):
        now = "has no time" if release.issued is None else f"is of {rfc3339(release.issued)}"
        raise PolicyError(
            f"what is served was issued {rfc3339(before)}, and this bundle {now}: hosts would report that their "
            "policies went back",
            hint=f"{place}: give a later time, like --issued now",
        )
