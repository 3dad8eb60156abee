"""Whether the manifest on this host can be believed, found out anew whenever there is doubt."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from hostseal.config.seal import SealSettings
from hostseal.errors import SealError
from hostseal.ports import Seal

_IMAGE = "image"
OpenSeal = Callable[[Path, Path, Path], Seal]


class Memory(Protocol):
    """Keeps small values over a restart."""

    def recall(self, name: str) -> str | None:
        """Return what was remembered under a name."""

    def remember(self, name: str, value: str) -> None:
        """Remember a small value."""


class Belief(msgspec.Struct, frozen=True, kw_only=True):
    """The manifest, or why there is none: `cause` is the word of `seal.untrusted`, "" when this host never had one."""

    seal: Seal | None = None
    cause: str = ""
    detail: str = ""


def believe(
    settings: SealSettings, folder: Path, image: str | None, memory: Memory, open_seal: OpenSeal
) -> Belief:
    """Return what to believe. `image` is the one this host enrolled with, None where it has no image.

    A host without an image holds to the first one whose manifest it believed: another one does not take its place.
    """
    if not settings.manifest:
        return Belief(detail="the setting seal.manifest is empty")
    manifest, key = Path(settings.manifest), Path(settings.public_key)
    expected = image or memory.recall(_IMAGE)
    if not os.path.lexists(manifest):
        why = f"there is no {manifest}"
        return Belief(cause="missing", detail=why) if expected else Belief(detail=why)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        seal = open_seal(folder, manifest, key)
    except SealError as error:
        return Belief(cause=error.cause, detail=str(error))
    except (OSError, sqlite3.Error) as error:
        return Belief(cause="unreadable", detail=f"{type(error).__name__}: {error}")
    if expected and seal.image != expected:
        said = f"it is of {seal.image}, and this host was made from {expected}"
        seal.close()
        return Belief(cause="other_image", detail=said)
    if not expected:
        memory.remember(_IMAGE, seal.image)
    return Belief(seal=seal)
