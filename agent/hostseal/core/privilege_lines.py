"""Reads what sudo and su write to the journal when they have changed the user. Pure: fields of an entry in, a change out.

Believed are the fields that journald takes from the kernel (_EXE, _PID, _AUDIT_SESSION), and of the text only the line of
pam_unix, which holds no directory and no command: those are the user's to choose. A process may write such a line and then
execute sudo before journald looks; its audit session stays its own, so it accuses nobody but itself.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

PROGRAMS = frozenset(
    {
        "/usr/bin/sudo", "/usr/bin/su", "/usr/bin/doas", "/usr/bin/pkexec", "/usr/bin/runuser", "/usr/sbin/runuser",
        "/usr/lib/cargo/bin/sudo", "/usr/lib/cargo/bin/su",
    }
)  # fmt: skip
_OPENED = re.compile(
    r"pam_unix\((?P<service>[^:()]+):session\): session opened for user (?P<target>.+)\(uid=(?P<uid>\d{1,10})\)"
    r" by .*\(uid=\d+\)\Z",
    re.DOTALL,
)


class Gained(msgspec.Struct, frozen=True, kw_only=True):
    """A user changed inside a session: to whom, and by which program."""

    audit_session: int
    target: str
    target_uid: int
    via: str
    pid: int


def read(entry: Mapping[str, Any]) -> Gained | None:
    """Return the change that a journal entry (fields, decoded) tells of, None when it tells of none."""
    message, audit, pid = entry.get("MESSAGE"), entry.get("_AUDIT_SESSION"), entry.get("_PID")
    if entry.get("_EXE") not in PROGRAMS or not isinstance(message, str):
        return None
    found = _OPENED.match(message)
    if found is None or not isinstance(audit, int) or not isinstance(pid, int):
        return None
    return Gained(
        audit_session=audit, target=found["target"], target_uid=int(found["uid"]), via=entry["_EXE"], pid=pid
    )
