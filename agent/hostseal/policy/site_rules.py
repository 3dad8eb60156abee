"""The site's data of single rules: what each is tuned by, at the key that bears its name (docs/reference/rules.md)."""

from typing import Annotated

import msgspec
from msgspec import Meta

from hostseal.policy.site_shape import Fingerprint, Name, Shape
from hostseal.policy.site_tuning import Severity

Glob = Annotated[str, Meta(pattern=r"^/[^\[\]{}\\]*$")]
"""An absolute path; `*` stands for part of a name, `**` for any number of names."""

ImageDigest = Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}$")]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]


class Listed(Shape, frozen=True, kw_only=True):
    """The paths a rule is about. A site adds to them, or takes one back by `false`."""

    paths: dict[Glob, bool]


class PackageInstalled(Shape, frozen=True, kw_only=True):
    """What lists the installed packages, and the programs that install them; each may be taken back by `false`."""

    paths: dict[Glob, bool]
    programs: dict[Glob, bool]


class SealedFileChanged(Shape, frozen=True, kw_only=True):
    """The severity of paths that weigh more, or less, than any sealed file; of several the highest counts."""

    severities: dict[Glob, Severity]


class BlindTooLong(Shape, frozen=True, kw_only=True):
    """How long, in seconds, a sensor may have seen nothing."""

    max_seconds: Positive


class ImageAge(Shape, frozen=True, kw_only=True):
    """How old, in days, a host's image may be; null for any age."""

    max_days: Positive | None


class SpoolBacklog(Shape, frozen=True, kw_only=True):
    """How many events may wait on a host to be decided, and for how many seconds."""

    max_pending: Count
    max_seconds: Positive


class MutableDebt(Shape, frozen=True, kw_only=True):
    """Whether drift on a host of class mutable is debt only, so that no rule about drift flags it."""

    only: bool


class Hours(Shape, frozen=True, kw_only=True):
    """A part of a day by whole hours, UTC; `to` is the hour that no longer belongs to it."""

    begin: Annotated[int, Meta(ge=0, le=23)] = msgspec.field(name="from")
    end: Annotated[int, Meta(ge=1, le=24)] = msgspec.field(name="to")

    def __post_init__(self) -> None:
        """Refuse hours that never are: ValueError."""
        if self.begin >= self.end:
            raise ValueError(f"from {self.begin} to {self.end} holds no hour; a window past midnight is two")


class Week(Shape, frozen=True, kw_only=True, omit_defaults=True):
    """The hours of each weekday in which people may log in; a day that is not named has none."""

    monday: tuple[Hours, ...] = ()
    tuesday: tuple[Hours, ...] = ()
    wednesday: tuple[Hours, ...] = ()
    thursday: tuple[Hours, ...] = ()
    friday: tuple[Hours, ...] = ()
    saturday: tuple[Hours, ...] = ()
    sunday: tuple[Hours, ...] = ()


class LoginWindow(Shape, frozen=True, kw_only=True):
    """When people may log in, by group of hosts; `default` for hosts none of whose groups has hours, null for always."""

    default: Week | None
    groups: dict[Name, Week]


class WeakKey(Shape, frozen=True, kw_only=True):
    """The types of keys that are allowed, by their names without `@openssh.com`, and the bits an RSA key needs."""

    rsa_bits: Positive
    types: dict[Name, bool]


class UnknownKey(Shape, frozen=True, kw_only=True):
    """The keys that are known, by fingerprint, and whose each is. None: every key is taken."""

    known: dict[Fingerprint, Name]
