"""What of its input a policy reads at all, as OPA's own analysis has it: what is masked elsewhere takes nothing away."""

import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from hostseal.errors import PolicyError
from hostseal.policy.question import ENTRY_POINTS

SECONDS = 60
Steps = tuple[str, ...]
_SIGNATURES = ".signatures.json"


class Reads(msgspec.Struct, frozen=True):
    """Which parts of the input each entry point reads, by its word."""

    paths: Mapping[str, frozenset[Steps]]

    def any_of(self, asks: str, pointers: tuple[str, ...]) -> tuple[str, ...]:
        """Return those of the JSON pointers (`/input/...`) that lie in what is read, or around it."""
        return tuple(one for one in pointers if any(_overlap(_steps(one), path) for path in self.paths[asks]))


class _Term(msgspec.Struct, frozen=True):
    value: str | int | float | bool | None


class _Dependencies(msgspec.Struct, frozen=True):
    base: tuple[tuple[_Term, ...], ...] = ()


def of_bundle(opa: Path, bundle: Path) -> Reads:
    """Return what the bundle's policies read, by `opa deps`; PolicyError when OPA does not say.

    Nothing is verified here: whoever asks the bundle for decisions has OPA do that.
    """
    with tempfile.TemporaryDirectory(prefix="hostseal-reads-") as name:
        folder = Path(name)
        try:
            with tarfile.open(bundle) as archive:
                wanted = [one for one in archive if one.isfile() and not one.name.endswith(_SIGNATURES)]
                archive.extractall(folder, wanted, filter="data")
            found = {word: _read(opa, folder, path) for word, path in ENTRY_POINTS.items()}
        except (
            OSError,
            EOFError,
            tarfile.TarError,
            subprocess.SubprocessError,
            msgspec.MsgspecError,
        ) as error:
            raise PolicyError(
                f"what these policies read cannot be told: {error}", hint=str(bundle)
            ) from error
    return Reads(found)


def _read(opa: Path, folder: Path, path: str) -> frozenset[Steps]:
    query = f"data.{path.replace('/', '.')}"
    command = [str(opa), "deps", "--bundle", str(folder), "--format", "json", query]
    done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=True)
    base = msgspec.json.decode(done.stdout, type=_Dependencies).base
    paths = (tuple(str(term.value) for term in one) for one in base)
    return frozenset(path for path in paths if path[0] == "input")


def _steps(pointer: str) -> Steps:
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.strip("/").split("/"))


def _overlap(one: Steps, other: Steps) -> bool:
    common = min(len(one), len(other))
    return one[:common] == other[:common]
