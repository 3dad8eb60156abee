"""Site data on hosts: their groups, how far the policies go on them, and whose accounts are automation's."""

from enum import StrEnum

import msgspec
from msgspec import UNSET, UnsetType

from hostseal.policy.site_shape import Fingerprint, Name, Shape


class Mode(StrEnum):
    """How far the policies go on a host."""

    OBSERVE = "observe"
    FLAG = "flag"
    ENFORCE = "enforce"


class HostClass(StrEnum):
    """Whether a host may be replaced by a new one."""

    IMMUTABLE = "immutable"
    MUTABLE = "mutable"


class Automation(Shape, frozen=True, kw_only=True):
    """The accounts of automation and, when any are listed, the keys that prove it."""

    accounts: tuple[Name, ...]
    key_fingerprints: tuple[Fingerprint, ...]


class Default(Shape, frozen=True, kw_only=True):
    """What holds for a host of which nothing else is said."""

    mode: Mode
    host_class: HostClass = msgspec.field(name="class")


class Group(Shape, frozen=True, kw_only=True):
    """What holds for the hosts of a group."""

    mode: Mode | UnsetType = UNSET
    host_class: HostClass | UnsetType = msgspec.field(name="class", default=UNSET)


class SiteHost(Shape, frozen=True, kw_only=True):
    """What holds for one host."""

    mode: Mode | UnsetType = UNSET
    host_class: HostClass | UnsetType = msgspec.field(name="class", default=UNSET)
    groups: tuple[Name, ...] = ()
