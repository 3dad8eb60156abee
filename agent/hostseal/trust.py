"""Checks that a file may be believed: root's (or ours, in a trial), and writable by nobody else."""

import os
import stat
from pathlib import Path

from hostseal.errors import UntrustedFileError


def check(path: Path) -> Path:
    """Return the resolved path; raise UntrustedFileError, naming the culprit, if others could have written it.

    The file, what it resolves to and every directory above are checked; a sticky directory (such as /tmp) above
    it is accepted, since nobody else can replace what is root's in it.
    """
    resolved = path.resolve(strict=True)
    for part in (resolved, *resolved.parents):
        status = part.stat()
        if status.st_uid not in {0, os.geteuid()}:
            raise UntrustedFileError(f"{part} belongs to uid {status.st_uid}", hint="it must be root's")
        if stat.S_IMODE(status.st_mode) & 0o022 and not (part != resolved and status.st_mode & stat.S_ISVTX):
            raise UntrustedFileError(
                f"{part} is writable by others than its owner", hint=f"chmod go-w {part}"
            )
    return resolved


def check_tree(top: Path) -> Path:
    """Return the resolved directory after checking it and everything below it."""
    resolved = check(top)
    for folder, names, files in os.walk(resolved):
        for name in (*names, *files):
            status = os.lstat(os.path.join(folder, name))
            loose = not stat.S_ISLNK(status.st_mode) and stat.S_IMODE(status.st_mode) & 0o022
            if status.st_uid not in {0, os.geteuid()} or loose:
                raise UntrustedFileError(
                    f"{os.path.join(folder, name)} is not root's alone", hint="chown root, chmod go-w"
                )
    return resolved
