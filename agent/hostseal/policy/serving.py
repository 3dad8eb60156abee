"""An OPA of one's own for the time of asking: on a bundle, or on policies with rules of one's own and a site's data."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from hostseal.policy import bundle, capabilities, site_file
from hostseal.policy.opa_program import OpaProgram
from hostseal.policy.packaged import policies as packaged
from hostseal.trial import opa_child


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where the policies come from: a bundle with the key that verifies it, or else the rest."""

    bundle: Path | None = None
    key: Path | None = None
    policies: Path = msgspec.field(default_factory=packaged)
    rules: tuple[Path, ...] = ()
    site: Path | None = None


@contextmanager
def built(source: Source) -> Iterator[Path]:
    """Yield the bundle, made for the while where there is none; PolicyError when it cannot be made."""
    if source.bundle is not None:
        yield source.bundle
        return
    data = site_file.check(source.policies, source.site, source.rules)
    with tempfile.TemporaryDirectory(prefix="hostseal-policy-") as name:
        out = Path(name) / "bundle.tar.gz"
        bundle.build(opa_child.find(), source.policies, data, out, None, source.rules)
        yield out


@contextmanager
def served(source: Source) -> Iterator[str]:
    """Run an OPA, which logs no decision, and yield its address; PolicyError when it does not take the policies.

    Whoever made them: what asks the network or reads the clock is not run.
    """
    with built(source) as used, tempfile.TemporaryDirectory(prefix="hostseal-opa-") as name:
        OpaProgram(opa_child.find()).limit(used, packaged() / capabilities.FILE)
        log = Path(name) / "opa.log"
        with opa_child.running(opa_child.find(), used, log, source.key, settings=()) as url:
            yield url
