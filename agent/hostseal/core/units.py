"""Which systemd unit a cgroup belongs to: systemd.unit(5), and cg_unescape in systemd's own source. Pure."""

import re

import msgspec

_UNIT = re.compile(r"[^/]+\.(?:service|scope|socket|mount|swap)")
_MANAGER = re.compile(r"user@(\d+)\.service")
_SERVICE = ".service"


class Unit(msgspec.Struct, frozen=True):
    """The system manager's unit that holds a process, the only one whose name means anything: root's systemd chose it.

    `user`: whose manager it is, for `user@UID.service`. What that manager calls its own units is that user's choice:
    it stands in `below`, and never in `name`.
    """

    name: str
    user: int | None = None
    below: str | None = None

    @property
    def is_system_service(self) -> bool:
        """Whether it is a service of the system manager, and not the manager of a user."""
        return self.user is None and self.name.endswith(_SERVICE)


def unit_of(cgroup: str | None) -> Unit | None:
    """Return the unit of a cgroup that is named from the system manager's root on, None where it is in none.

    Slices hold units and are passed over. The first unit on the way down counts: everything below it was delegated, so
    its names are whoever's it was delegated to.
    """
    parts = [_unescaped(part) for part in (cgroup or "").split("/") if part]
    at = next((i for i, part in enumerate(parts) if not part.endswith(".slice")), None)
    if at is None or not _UNIT.fullmatch(parts[at]):
        return None
    name = parts[at]
    manager = _MANAGER.fullmatch(name)
    if manager is None:
        return Unit(name)
    below = next((part for part in parts[at + 1 :] if _UNIT.fullmatch(part)), None)
    return Unit(name, int(manager[1]), below)


def same_or_template(unit: str, defined: str) -> bool:
    """Tell whether `unit` is what a file named `defined` defines; `x@.service` defines every instance of it."""
    if unit == defined:
        return True
    before, found, after = defined.partition("@.")
    name, instance, rest = unit.partition("@")
    return bool(found and instance) and name == before and rest.rpartition(".")[2] == after


def _unescaped(part: str) -> str:
    """Return a cgroup's name as the unit's: systemd writes `_` before one that would mean something to the kernel."""
    return part.removeprefix("_")
