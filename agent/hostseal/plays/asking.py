"""Asks an OPA about plays: one that runs already, or one of its own for the time of asking."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hostseal.errors import ConfigError, NoAnswerError, PlaybookError, PolicyError
from hostseal.policy import bundle, capabilities
from hostseal.policy.engine import OpaEngine
from hostseal.policy.opa_program import OpaProgram
from hostseal.policy.packaged import policies as packaged
from hostseal.trial import opa_child

PLAY_DECISION = "hostseal/play/decision"
TIMEOUT_SECONDS = 10.0


def running(url: str, ca: Path | None, token_file: Path | None) -> OpaEngine:
    """Return an OPA that answers at `url` already; ConfigError when the address or a file cannot be used."""
    for file in (ca, token_file):
        if file is not None and not file.is_file():
            raise ConfigError("there is no such file", hint=str(file))
    return OpaEngine(url, ca=ca, token_file=token_file, timeout_seconds=TIMEOUT_SECONDS)


@contextmanager
def own(
    bundle_file: Path | None, key: Path | None, policies: Path | None, site: Path | None
) -> Iterator[OpaEngine]:
    """Run an OPA on a bundle (with the key that verifies it), or on policies with a site's data, for a while.

    PlaybookError when they cannot be used, NoAnswerError when OPA does not come up, or the policies could ask the network or the clock.
    """
    with tempfile.TemporaryDirectory(prefix="hostseal-play-") as name:
        folder = Path(name)
        try:
            opa = opa_child.find()
            used = bundle_file or _built(opa, policies or packaged(), site, folder / "bundle.tar.gz")
        except PolicyError as error:
            raise PlaybookError(error.message, hint=error.hint) from error
        with ExitStack() as stack:
            try:
                OpaProgram(opa).limit(used, packaged() / capabilities.FILE)
                url = stack.enter_context(opa_child.running(opa, used, folder / "opa.log", key))
            except PolicyError as error:
                raise NoAnswerError(error.message, hint=error.hint) from error
            yield OpaEngine(url, ca=None, token_file=None, timeout_seconds=TIMEOUT_SECONDS)


def _built(opa: Path, policies: Path, site: Path | None, out: Path) -> Path:
    try:
        data = {} if site is None else json.loads(site.read_bytes())
    except ValueError as error:
        raise PolicyError(f"not valid JSON: {error}", hint=str(site)) from error
    bundle.build(opa, policies, data, out, None)
    return out
