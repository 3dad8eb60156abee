"""[files]: which trees are sealed, what in them is not, and how notifications are folded."""

from enum import StrEnum

import msgspec

from hostseal.config.by_design import BY_DESIGN
from hostseal.core.by_design import ByDesign


class Backend(StrEnum):
    """Which kernel interface tells of changes; `auto` takes the best that works here."""

    AUTO = "auto"
    FANOTIFY = "fanotify"
    INOTIFY = "inotify"


NEVER_SHOWN = (
    "/etc/shadow*", "/etc/gshadow*", "/etc/nshadow*", "/etc/.*shadow*", "/etc/security/*opasswd*", "/etc/ssl/private/*",
    "/etc/ssh/ssh_host_*_key", "*/.ssh/id_*", "*/.gnupg/*", "*.key", "*privkey*", "*.p12", "*.pfx", "*.jks", "*.keytab",
    "*.kdbx", "*/.netrc", "*/.pgpass", "*htpasswd*", "/etc/ppp/*-secrets*", "/etc/ipsec*.secrets*", "/etc/wireguard/*",
    "/etc/hostseal/*token*", "/var/lib/hostseal/*", "*/.*_history",
)  # fmt: skip
"""Files that are secrets as a whole, and shells' histories, for what people type is recorded only where
`sessions.record_commands` says so. No setting takes one out: they are never read for a diff, nor kept."""


class DiffSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[files.diff] of which watched files the record shows what changed in them, and what that may cost.

    `paths`, `exclude`: globs over the whole path, `*` also matches `/`; no path at all is off. What people edit by hand
    and programs read as text: not /usr, whose changes a digest and a package's name tell better. `NEVER_SHOWN` is
    excluded whatever stands here. `max_bytes`: of one file, before or after. `store_bytes`: of all befores that are kept,
    compressed. `mask`: hide passwords, tokens and private keys.
    """

    paths: tuple[str, ...] = (
        "/etc/*", "/usr/local/etc/*", "/var/spool/cron/*", "/root/.ssh/*", "/home/*/.ssh/*", "/root/.bash*",
        "/root/.profile", "/boot/grub/*.cfg", "/boot/loader/*.conf",
    )  # fmt: skip
    exclude: tuple[str, ...] = ()
    max_bytes: int = 65_536
    store_bytes: int = 32 << 20
    mask: bool = True


class FilesSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[files] watched trees and excludes (globs), and the bounds of one change set.

    `watch`: absolute paths; `*`, `?` and `[]` stand for part of one name, and later matches are picked up.
    `exclude`: globs over the whole path, `*` also matches `/`. An exclude is a blind spot: keep it small.
    `by_design`: classes of files that change by design, by name; those given here stand beside the defaults.
    `quiet_seconds`, `max_age_seconds`: a change set closes after that long without a change, or at that age.
    `max_paths`: paths one change set names; further ones are only counted. `queue`: paths of closed change
    sets that may wait for the spool; beyond it change sets grow older instead.
    """

    backend: Backend = Backend.AUTO
    watch: tuple[str, ...] = (
        "/etc", "/usr", "/boot", "/opt", "/root", "/home/*/.ssh",
        # What may be left to run later, or at the next login: jobs, units of users and what keeps their managers running,
        # shells' profiles. The shells' histories, which every login writes, match none of these.
        "/var/spool/cron", "/var/spool/at", "/var/lib/systemd/linger",
        "/home/*/.config/systemd", "/home/*/.local/share/systemd",
        "/home/*/.*profile", "/home/*/.bash[_r][acl]*", "/home/*/.zsh[er]*", "/home/*/.pam_environment",
    )  # fmt: skip
    exclude: tuple[str, ...] = ("/root/.ansible/tmp/*", "/root/.ansible/cp/*")
    by_design: dict[str, ByDesign] = msgspec.field(default_factory=lambda: dict(BY_DESIGN))
    quiet_seconds: float = 0.5
    max_age_seconds: float = 10.0
    max_paths: int = 200
    queue: int = 65_536
    diff: DiffSettings = msgspec.field(default_factory=DiffSettings)
