"""What a program does for the host: a package manager, systemd, cloud-init, our own playbooks. Pure.

By the executable file and the unit together, never by a name alone: anyone may name a file `dpkg`, or a unit of his own
manager `apt-daily.service`; and a package manager that somebody starts by hand is that person's tool.
"""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from hostseal.core.units import Unit

SYSTEM = ("/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/opt/hostseal/")
"""Where an image's programs are; /usr/local is not of the distribution, but as sealed as the rest."""

_MANAGERS = frozenset(
    f"{folder}/{name}"
    for folder in ("/usr/bin", "/bin", "/usr/sbin", "/usr/libexec", "/usr/lib")
    for name in (
        "apt", "apt-get", "dpkg", "dpkg-deb", "dpkg-divert", "dpkg-statoverride", "dpkg-trigger", "rpm", "rpmdb",
        "dnf5", "microdnf", "packagekitd", "rpm-ostree", "zypper",
    )
)  # fmt: skip
_MANAGER_UNITS = frozenset(
    {
        "apt-daily.service", "apt-daily-upgrade.service", "unattended-upgrades.service", "packagekit.service",
        "packagekit-offline-update.service", "dnf-makecache.service", "dnf-automatic.service",
        "dnf-automatic-install.service", "dnf-automatic-download.service", "dnf-system-upgrade.service",
        "dnf5-automatic.service", "dnf5-makecache.service", "dpkg-db-backup.service",
    }
)  # fmt: skip
_CLOUD_UNITS = frozenset(
    {
        "cloud-init.service", "cloud-init-local.service", "cloud-init-main.service", "cloud-init-network.service",
        "cloud-config.service", "cloud-final.service",
    }
)  # fmt: skip
_SYSTEMD_FOLDERS = ("/usr/lib/systemd/", "/lib/systemd/")
_SYSTEMD_TOOLS = frozenset(
    f"{folder}/{name}"
    for folder in ("/usr/bin", "/bin")
    for name in (
        "systemctl", "systemd-tmpfiles", "systemd-sysusers", "systemd-machine-id-setup", "systemd-firstboot",
        "systemd-hwdb", "systemd-ask-password", "udevadm", "bootctl", "journalctl", "systemd-confext",
        "systemd-sysext", "systemd-repart",
    )
)  # fmt: skip
_INIT_SCOPE = "init.scope"
_GONE = " (deleted)"
_MAIN = ("apt", "bash", "dash", "dnf", "packagekitd", "python3", "sh")
_WRAPPERS = (
    "dpkg",
    "env",
    "flock",
    "ionice",
    "nice",
    "perl",
    "rpm",
    "run-parts",
    "systemd-inhibit",
    "timeout",
    "unattended",
)


class Role(StrEnum):
    """What a writer's program does for the host."""

    PACKAGE_MANAGER = "package_manager"
    SYSTEMD = "systemd"
    CLOUD_INIT = "cloud_init"
    HOSTSEAL = "hostseal"


class Given(msgspec.Struct, frozen=True):
    """A role, and whether it is known or only likely."""

    role: Role | None = None
    sure: bool = True


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """One process of a line: who it is, and whether its executable is the very file that this host has at that path.

    `uid` is the effective one. Only a program whose name would matter is looked at so closely; for others `genuine` is
    False. `argv` and `stdin`, the path of its standard input, are read where they tell which job this is.
    """

    pid: int
    exe: str | None = None
    uid: int | None = None
    genuine: bool = False
    argv: tuple[str, ...] = ()
    stdin: str | None = None


NONE = Given()


def matters(exe: str | None) -> bool:
    """Return whether a program's name would give it a role by itself, so that it must be the real one."""
    return exe in _MANAGERS


def role_of(line: Sequence[Process], unit: Unit | None, *, proves: bool, action: bool) -> Given:
    """Return the role of the first process of `line`, which those after it have started, the nearest first.

    `line` stays within the unit, and may end early where a process in between has ended. `proves`: the unit's file is
    on disk and no login lies in between; a transient unit (systemd-run) is whoever's asked for it. `action`: it is a unit in which
    the agent's own playbooks run. A package manager that is not root's is a program that somebody runs: it has no role.
    """
    exe = line[0].exe if line else None
    if exe is None or unit is None or not proves or not exe.startswith(SYSTEM):
        return NONE
    if action:
        return Given(Role.HOSTSEAL)
    if _is_systemd(exe, unit, alone=len(line) == 1):
        return Given(Role.SYSTEMD)
    if not unit.is_system_service:
        return NONE
    if unit.name in _CLOUD_UNITS:
        return Given(Role.CLOUD_INIT)
    return _package_manager(line, unit)


def _package_manager(line: Sequence[Process], unit: Unit) -> Given:
    if line[0].uid != 0:
        return NONE
    manager = next((i for i, p in enumerate(line) if p.genuine and p.uid == 0 and p.exe in _MANAGERS), None)
    if manager is not None and all(_starts_managers(process.exe) for process in line[manager + 1 :]):
        return Given(Role.PACKAGE_MANAGER)
    if unit.name not in _MANAGER_UNITS:
        return NONE
    # The unit's main process has nothing above it; so has one whose parent has ended.
    name = (line[0].exe or "").rpartition("/")[2]
    return Given(Role.PACKAGE_MANAGER, sure=len(line) > 1 or name.startswith(_MAIN))


def _starts_managers(exe: str | None) -> bool:
    """Return whether a unit made for upgrades may run this above its package manager; a web server is not for that."""
    name = (exe or "").removesuffix(_GONE).rpartition("/")[2]
    return exe in _MANAGERS or ((exe or "").startswith(SYSTEM) and name.startswith((*_MAIN, *_WRAPPERS)))


def _is_systemd(exe: str, unit: Unit, *, alone: bool) -> bool:
    exe = exe.removesuffix(_GONE)
    own = exe.startswith(_SYSTEMD_FOLDERS)
    if unit.name == _INIT_SCOPE:
        return own
    if not unit.is_system_service:
        return False
    if unit.name.startswith("systemd-"):
        return own or exe in _SYSTEMD_TOOLS
    # PID 1's own child, which makes a unit's folders before it becomes the unit's program.
    return alone and own and exe.rpartition("/")[2] in {"systemd", "systemd-executor"}
