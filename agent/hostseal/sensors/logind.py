"""Asks logind for the SSH sessions that are open: those that began while the agent was down, too."""

import subprocess
from collections.abc import Iterator
from typing import Any

from systemd import login

_TIMEOUT_SECONDS = 10
_PROPERTIES = ("Name", "Service", "RemoteHost", "Audit", "Leader", "State")


def ssh_sessions() -> Iterator[dict[str, Any]]:
    """Yield each open SSH session in the shape of a `session.opened` event's data; key and connection are not known.

    There is none where logind does not run.
    """
    try:
        names = login.sessions()
    except OSError:
        return
    for name in names:
        found = _show(name)
        if found.get("Service") == "sshd" and found.get("State") != "closing":
            yield {
                "user": found.get("Name", ""),
                "service": "sshd",
                "source": found.get("RemoteHost") or None,
                "connection": None,
                "audit_session": int(found.get("Audit", "0")) or None,
                "login_uid": None,
                "logind_session": name,
                "key": None,
                "leader_pid": int(found.get("Leader", "0")) or None,
                "seen_by": "logind",
            }


def _show(name: str) -> dict[str, str]:
    command = ["loginctl", "show-session", name, *(f"--property={p}" for p in _PROPERTIES)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
