"""What a path does after the session that wrote it: the ways to have something run, or to come in, later. Pure."""

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

import msgspec

from hostseal.core.text import faithful
from hostseal.core.trees import parts


class Lays(StrEnum):
    """The kinds of artefact."""

    CRON = "cron"
    AT_JOB = "at_job"
    UNIT = "unit"
    TIMER = "timer"
    AUTHORIZED_KEYS = "authorized_keys"
    SHELL_PROFILE = "shell_profile"
    SUDOERS = "sudoers"


class Artefact(msgspec.Struct, frozen=True, kw_only=True):
    """What is laid at a path.

    `unit`: the unit that it defines, extends, enables or starts. `home`: the home directory of the user whose own
    manager, shell or sshd reads it. `user`: whose table of jobs it is.
    """

    kind: Lays
    unit: str | None = None
    home: bytes | None = None
    user: str | None = None

    @property
    def is_users(self) -> bool:
        """Whether a user's own manager reads it, if it is a unit."""
        return self.home is not None or self.user is not None


_SYSTEM_UNITS = (
    b"/etc/systemd/system", b"/etc/systemd/system.control", b"/usr/lib/systemd/system", b"/lib/systemd/system",
    b"/usr/local/lib/systemd/system",
)  # fmt: skip
_USER_UNITS = (
    b"/etc/systemd/user", b"/usr/lib/systemd/user", b"/lib/systemd/user", b"/usr/local/lib/systemd/user",
    b"/usr/share/systemd/user", b"/usr/local/share/systemd/user",
)  # fmt: skip
_HOME_UNITS = (b".config/systemd/user", b".config/systemd/user.control", b".local/share/systemd/user")
_PROFILES = frozenset(
    {
        b"/etc/profile", b"/etc/bash.bashrc", b"/etc/bash.bash_logout", b"/etc/bashrc", b"/etc/environment",
        b"/etc/csh.cshrc", b"/etc/csh.login", b"/etc/ksh.kshrc", b"/etc/ld.so.preload", b"/etc/ssh/sshrc",
        b"/etc/security/pam_env.conf",
    }
)  # fmt: skip
_HOME_PROFILES = frozenset(
    {
        b".bashrc", b".bash_profile", b".bash_login", b".bash_logout", b".bash_aliases", b".profile", b".zshrc",
        b".zshenv", b".zprofile", b".zlogin", b".zlogout", b".cshrc", b".tcshrc", b".login", b".logout", b".kshrc",
        b".mkshrc", b".pam_environment", b".ssh/rc", b".ssh/environment", b".config/fish/config.fish",
    }
)  # fmt: skip
_PROFILE_FOLDERS = {
    b"/etc/profile.d": re.compile(rb".+\.(sh|csh)"),
    b"/etc/zsh": re.compile(rb"z.+"),
    b"/etc/fish/conf.d": re.compile(rb".+\.fish"),
}
_TABLES = frozenset({b"/etc/crontab", b"/etc/anacrontab"})
_CRON_FOLDERS = tuple(
    b"/etc/cron." + name for name in (b"d", b"hourly", b"daily", b"weekly", b"monthly", b"yearly")
)
_CRON_NAME = re.compile(rb"[A-Za-z0-9_-]+")
_AT_JOB = re.compile(rb"[a=A-Zb-z][0-9a-f]{13}")
_AT_FOLDERS = (b"/var/spool/cron/atjobs", b"/var/spool/at")
_UNIT = re.compile(rb"[^/]+\.(service|socket|path|timer|mount|automount|swap|target|slice|scope)")
_STARTS = re.compile(r"\.(timer|socket|path|automount)$")
KEY_FILES = (".ssh/authorized_keys", ".ssh/authorized_keys2")
"""sshd's default for AuthorizedKeysFile, sshd_config(5)."""


def artefact_of(path: bytes, key_files: Iterable[str] = KEY_FILES) -> Artefact | None:
    """Return what is laid at the absolute `path`, None where a file is just a file.

    Names that the program which would run it passes over (an editor's copies) lay nothing. `key_files` is sshd's
    AuthorizedKeysFile. Homes are /root and /home/USER.
    """
    if path.startswith(b"/home/"):
        _, _, user, *_ = (*path.split(b"/", 3), b"", b"")
        return _in_home(path, b"/home/" + user, key_files)
    if path.startswith(b"/root/"):
        return _in_home(path, b"/root", key_files)
    if path.startswith(b"/usr/") and b"/systemd/" not in path:
        return None
    if not path.startswith((b"/etc/", b"/var/spool/", b"/usr/", b"/lib/")):
        return _keys(path, b"", key_files)
    folder, _, name = path.rpartition(b"/")
    return (
        _job(path, folder, name)
        or _of_manager(path)
        or _profile(path, folder, name)
        or _sudoers(path, folder, name)
        or _keys(path, b"", key_files)
    )


def kind_of(path: bytes, key_files: Iterable[str] = KEY_FILES) -> str | None:
    """Return what kind of artefact is at a path, None for any other file."""
    found = artefact_of(path, key_files)
    return None if found is None else str(found.kind)


def starts(name: str, setting: str | None = None) -> str:
    """Return the unit that a timer, socket or path starts: the one its `Unit=` names, else the service of its name."""
    return setting or _STARTS.sub(".service", name)


def _in_home(path: bytes, home: bytes, key_files: Iterable[str]) -> Artefact | None:
    below = path[len(home) + 1 :]
    if below in _HOME_PROFILES:
        return Artefact(kind=Lays.SHELL_PROFILE, home=home)
    for folder in _HOME_UNITS:
        if below.startswith(folder + b"/"):
            return _unit(below[len(folder) + 1 :], home)
    return _keys(path, home, key_files)


def _keys(path: bytes, home: bytes, key_files: Iterable[str]) -> Artefact | None:
    for pattern in key_files:
        found = _expression(pattern).fullmatch(path)
        if found and (not home or found.groupdict().get("home", home) == home):
            return Artefact(kind=Lays.AUTHORIZED_KEYS, home=home or None)
    return None


@lru_cache(64)
def _expression(pattern: str) -> re.Pattern[bytes]:
    """Return a pattern of AuthorizedKeysFile as an expression; what stands for a user is one name, `%h` a whole path."""
    means = {"%h": rb"(?P<home>/.+)", "%u": rb"[^/]+", "%U": rb"[0-9]+", "%%": rb"%"}
    whole = pattern if pattern.startswith(("/", "%h")) else f"%h/{pattern}"
    before, home, after = whole.partition("%h")
    pieces = [*re.split(r"(%[Uu%])", before), home, *re.split(r"(%[Uu%])", after)]
    return re.compile(b"".join(means.get(p, re.escape(p.encode("utf-8", "surrogateescape"))) for p in pieces))


def _job(path: bytes, folder: bytes, name: bytes) -> Artefact | None:
    if path in _TABLES or (folder in _CRON_FOLDERS and _CRON_NAME.fullmatch(name)):
        return Artefact(kind=Lays.CRON)
    if folder in _AT_FOLDERS:
        return Artefact(kind=Lays.AT_JOB) if _AT_JOB.fullmatch(name) else None
    if folder in {b"/var/spool/cron/crontabs", b"/var/spool/cron"}:
        if name.startswith((b"tmp.", b".")) or name in {b"crontabs", b"atjobs", b"atspool"}:
            return None
        return Artefact(kind=Lays.CRON, user=faithful(name))
    return None


def _of_manager(path: bytes) -> Artefact | None:
    if path == b"/etc/rc.local":
        return Artefact(kind=Lays.UNIT, unit="rc-local.service")
    if path.startswith(b"/etc/init.d/") and path.count(b"/") == 3:  # noqa: PLR2004 - the folder's own files
        return Artefact(kind=Lays.UNIT, unit=f"{faithful(path[12:])}.service")
    if b"/systemd/" not in path:
        return None
    for folder in _SYSTEM_UNITS:
        if path.startswith(folder + b"/"):
            return _unit(path[len(folder) + 1 :], None)
    for folder in _USER_UNITS:
        if path.startswith(folder + b"/"):
            found = _unit(path[len(folder) + 1 :], None)
            return None if found is None else msgspec.structs.replace(found, user="*")
    return None


def _unit(below: bytes, home: bytes | None) -> Artefact | None:
    """Return what a path below a manager's folder is: a unit, a drop-in, or a link that has one started with another."""
    names = parts(below)
    if len(names) == 1 and _UNIT.fullmatch(names[0]):
        name = names[0]
    elif len(names) == 2 and names[0].endswith(b".d") and names[1].endswith(b".conf"):  # noqa: PLR2004
        name = names[0][:-2]
    elif len(names) == 2 and names[0].endswith((b".wants", b".requires", b".upholds")):  # noqa: PLR2004
        name = names[1]
    else:
        return None
    if not _UNIT.fullmatch(name):
        return None
    kind = Lays.TIMER if name.endswith(b".timer") else Lays.UNIT
    return Artefact(kind=kind, unit=faithful(name), home=home)


def _profile(path: bytes, folder: bytes, name: bytes) -> Artefact | None:
    expression = _PROFILE_FOLDERS.get(folder)
    if path in _PROFILES or (expression is not None and expression.fullmatch(name)):
        return Artefact(kind=Lays.SHELL_PROFILE)
    return None


def _sudoers(path: bytes, folder: bytes, name: bytes) -> Artefact | None:
    # sudo passes over names with a dot, and those that end in `~`.
    if path == b"/etc/sudoers" or (
        folder == b"/etc/sudoers.d" and b"." not in name and not name.endswith(b"~")
    ):
        return Artefact(kind=Lays.SUDOERS)
    return None
