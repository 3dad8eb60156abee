"""Is a host from an image well, and is its seal intact? Asked over ssh, as automation."""

import time
from pathlib import Path

import msgspec

from hostseal.core.seal_compare import Difference
from hostseal.errors import ImageError
from hostseal.images.catalogue import MANIFEST
from hostseal.launcher import Machine, run
from hostseal.seal import files

HOSTSEAL = "/opt/hostseal/bin/hostseal"
_HEALTHY_SECONDS = 60.0
_SHOWN = 5


class SealReport(msgspec.Struct, frozen=True, kw_only=True):
    """What `hostseal seal verify --json` says on a host."""

    intact: bool
    image: str
    manifest: str
    entries: int
    differences: tuple[Difference, ...]


class _Finding(msgspec.Struct, frozen=True, kw_only=True):
    check: str
    ok: bool
    says: str


def healthy(machine: Machine, *, seconds: float = _HEALTHY_SECONDS) -> None:
    """Wait until agent, OPA and all else `hostseal doctor` looks at are well; ImageError names what is not."""
    deadline = time.monotonic() + seconds
    while True:
        done = run(machine, [HOSTSEAL, "doctor", "--json"])
        try:
            findings = msgspec.json.decode(done.stdout, type=tuple[_Finding, ...])
        except msgspec.DecodeError:
            bad = [done.stderr.strip() or "no answer"]
        else:
            bad = [f"{finding.check}: {finding.says}" for finding in findings if not finding.ok]
        if not bad:
            return
        if time.monotonic() > deadline:
            raise ImageError(f"{machine.name} is not healthy after {seconds:.0f} s: {'; '.join(bad)}")
        time.sleep(0.2)


def verify_seal(machine: Machine, place: Path) -> SealReport:
    """Have a host compare itself with its image's manifest; ImageError when it cannot, or has another manifest.

    `place` is the image's folder in the catalogue. The host's own word is only worth something while nobody broke into it.
    """
    done = run(machine, [HOSTSEAL, "seal", "verify", "--json"], seconds=120)
    try:
        report = msgspec.json.decode(done.stdout, type=SealReport)
    except msgspec.DecodeError as error:
        raise ImageError(f"{machine.name} cannot verify its seal: {done.stderr.strip()[-500:]}") from error
    if report.manifest != files.digest(place / MANIFEST):
        raise ImageError(f"{machine.name} has another manifest than its image in the catalogue")
    return report


def require_intact(machine: Machine, place: Path) -> SealReport:
    """Return the report of a host whose seal is intact; ImageError names the first differences if it is not."""
    report = verify_seal(machine, place)
    if not report.intact:
        first = ", ".join(f"{one.path} ({one.change})" for one in report.differences[:_SHOWN])
        raise ImageError(
            f"the seal of {machine.name} is broken in {len(report.differences)} place(s): {first}"
        )
    return report
