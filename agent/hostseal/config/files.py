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
    watch: tuple[str, ...] = ("/etc", "/usr", "/boot", "/opt", "/root", "/var/spool/cron", "/home/*/.ssh")
    exclude: tuple[str, ...] = ("/root/.ansible/tmp/*", "/root/.ansible/cp/*")
    by_design: dict[str, ByDesign] = msgspec.field(default_factory=lambda: dict(BY_DESIGN))
    quiet_seconds: float = 0.5
    max_age_seconds: float = 10.0
    max_paths: int = 200
    queue: int = 65_536
