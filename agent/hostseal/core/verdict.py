"""What a change of one path means for the seal, once the path was looked at."""

from enum import StrEnum

import msgspec

from hostseal.core.seal import Entry, Personal
from hostseal.core.seal_compare import Change, Difference, differences


class Sealed(StrEnum):
    """How a path stands to the seal."""

    BROKEN = "broken"
    TOUCHED = "touched"
    OWN = "own"
    BY_DESIGN = "by_design"
    UNSEALED = "unsealed"


class Design(msgspec.Struct, frozen=True):
    """The class by which a change is by design, and how what is there then is compared: as a host's own."""

    name: str
    own: Personal


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """How a path stands to the seal, the class that forgives the change, and in what the path differs."""

    seal: Sealed
    design: str | None = None
    differences: tuple[Difference, ...] = ()

    @property
    def differs(self) -> list[str]:
        """In what the path differs, each once."""
        return list(dict.fromkeys(str(one.change) for one in self.differences))


def unsealed(now: Entry | None, design: Design | None) -> Verdict:
    """Return the verdict where no manifest says anything: only what changes by design is told apart."""
    if design is not None and not _left(None, now, design):
        return Verdict(seal=Sealed.BY_DESIGN, design=design.name)
    return Verdict(seal=Sealed.UNSEALED)


def judged(sealed: Entry | None, now: Entry | None, own: Personal | None, design: Design | None) -> Verdict:
    """Return the verdict on a path of the sealed trees: what the manifest says of it, and what is there now.

    A class forgives another content, and that something came or went; never a change of owner or mode, nor a new file that
    another than its owner may write.
    """
    found = tuple(differences(sealed, now, own))
    if not found:
        return Verdict(seal=Sealed.TOUCHED if own is None else Sealed.OWN)
    if design is not None and not _left(sealed, now, design):
        return Verdict(seal=Sealed.BY_DESIGN, design=design.name, differences=found)
    return Verdict(seal=Sealed.BROKEN, differences=found)


def unreadable(path: str, why: str) -> Verdict:
    """Return the verdict on a sealed path of which nobody can say what it is: never taken for an intact one."""
    return Verdict(
        seal=Sealed.BROKEN, differences=(Difference(path=path, change=Change.UNREADABLE, found=why),)
    )


def _left(sealed: Entry | None, now: Entry | None, design: Design) -> list[Difference]:
    return [one for one in differences(sealed, now, design.own) if one.change is not Change.MISSING]
