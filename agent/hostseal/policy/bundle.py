"""Builds the bundle that hosts get: the policies with the site's data, under one revision, signed.

The same content, release and key give the same bytes, wherever and whenever, with the same OPA and zlib.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from hostseal import durable
from hostseal.errors import PolicyError
from hostseal.policy import signature
from hostseal.policy.archive import pack, unpack
from hostseal.policy.content import SIGNATURES, Content, content
from hostseal.policy.opa_program import OpaProgram
from hostseal.policy.release import Release
from hostseal.policy.signing import Named, SigningKey
from hostseal.policy.sources import collect

NOTHING_SAID = Release()


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle, ready to be written. `key` is the one that verifies it."""

    revision: str
    packed: bytes
    key: Named | None

    def write(self, out: Path) -> bool:
        """Make `out` this bundle, whole or not at all; return whether it was another one."""
        try:
            if out.read_bytes() == self.packed:
                return False
        except FileNotFoundError:
            pass
        durable.write(out, self.packed, mode=0o644)
        return True


def build(
    opa: Path,
    policies: Path,
    site: Mapping[str, Any],
    out: Path,
    signing_key: Path | None,
    rules: Sequence[Path] = (),
) -> str:
    """Build the bundle from sources into `out`, of no commit and no time, and return its revision.

    The revision is a digest of what is in the bundle: the policies without their tests, and `site` merged over
    their default data. An `out` that already is this bundle is left as it is; otherwise it is replaced whole.
    Raises PolicyError for site data of another shape, for policies that OPA does not take, for an unusable key,
    and when OPA cannot be run or takes too long.
    """
    made = make(opa, sources(policies, site, rules), signing_key)
    made.write(out)
    return made.revision


def sources(policies: Path, site: Mapping[str, Any], rules: Sequence[Path] = ()) -> Content:
    """Return what a bundle of these sources has in it; PolicyError as :func:`hostseal.policy.sources.collect`."""
    try:
        return content(collect(policies, site, rules))
    except (ValueError, TypeError) as error:
        raise PolicyError(f"these are not Hostseal's policies: {error}", hint=str(policies)) from error


def make(
    opa: Path,
    what: Content,
    signing_key: Path | None,
    release: Release = NOTHING_SAID,
    capabilities: Path | None = None,
) -> Bundle:
    """Return the bundle of this content and release; raises as :func:`build`.

    `capabilities` is OPA's file of what the policies may use: a bundle that uses more is refused.
    """
    program = OpaProgram(opa)
    key = None if signing_key is None else SigningKey(signing_key)
    said = release.over(what)
    revision = release.revision(said.digest())
    more = [] if capabilities is None else ["--capabilities", str(capabilities.resolve())]
    with tempfile.TemporaryDirectory(prefix="hostseal-bundle-") as name:
        work = Path(name)
        if key is not None and signing_key is not None:
            more += ["--signing-key", str(signing_key.resolve()), "--signing-alg", key.public.algorithm]
        said.stage(work / "content")
        program.build(work / "content", work / "built.tar.gz", revision, *more)
        files = unpack(work / "built.tar.gz")
        if key is None:
            return Bundle(revision=revision, packed=pack(files), key=None)
        packed = pack({**files, SIGNATURES: signature.anew(files[SIGNATURES], key)})
        (work / "signed.tar.gz").write_bytes(packed)
        program.verify(work / "signed.tar.gz", key.public, work)
    return Bundle(revision=revision, packed=packed, key=key.public)


def read(opa: Path, bundle: Path, keys: Sequence[Named]) -> Content:
    """Return what is in a bundle; PolicyError when it is not one that one of the keys signed, or is damaged."""
    program = OpaProgram(opa)
    refusals: list[PolicyError] = []
    with tempfile.TemporaryDirectory(prefix="hostseal-bundle-") as name:
        # A copy: what is read is what was verified, whatever becomes of the file meanwhile.
        copy = Path(name) / bundle.name
        try:
            copy.write_bytes(bundle.read_bytes())
        except OSError as error:
            raise PolicyError(f"the bundle cannot be read: {error}", hint=str(bundle)) from error
        for key in keys:
            try:
                program.verify(copy, key, Path(name))
            except PolicyError as error:
                refusals.append(error)
            else:
                return unverified(copy)
    raise refusals[-1]


def unverified(bundle: Path) -> Content:
    """Return what is in a bundle that nobody vouches for; PolicyError when it is none."""
    try:
        return content(unpack(bundle))
    except (KeyError, ValueError, TypeError) as error:
        raise PolicyError(f"this is not a bundle: {error}", hint=str(bundle)) from error
