"""Runs an action in a systemd unit of its own: hostseal-action@ID.service, or the template that its action needs."""

import subprocess

from hostseal.core.responses import PLAYS
from hostseal.errors import ActionError

_TIMEOUT_SECONDS = 10
_AT_WORK = {"activating", "active", "reloading", "deactivating"}


class UnitExecutor:
    """Starts and watches units over systemctl; no shell, and the only argument is the action's id."""

    def start(self, action: str, action_id: str) -> None:
        """Start the unit and return at once; ActionError when systemd will not."""
        unit = _unit(action, action_id)
        self._systemctl("reset-failed", unit, check=False)
        self._systemctl("start", unit, check=True, options=("--no-block",))

    def running(self, action: str, action_id: str) -> bool:
        """Return whether the unit has work left; a start that systemd has not come to yet is work."""
        unit = _unit(action, action_id)
        shown = self._systemctl(
            "show", unit, check=True, options=("--property=ActiveState", "--property=Job")
        )
        return has_work(shown)

    def stop(self, action: str, action_id: str) -> None:
        """End the unit and everything in its control group."""
        self._systemctl("stop", _unit(action, action_id), check=False)

    def _systemctl(self, verb: str, unit: str, *, check: bool, options: tuple[str, ...] = ()) -> str:
        command = ["systemctl", verb, *options, unit]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ActionError(f"systemctl {verb} did not work: {error}") from error
        if check and done.returncode:
            raise ActionError(f"systemctl {verb} failed: {done.stderr.strip()[:500]}")
        return done.stdout


def has_work(shown: str) -> bool:
    """Tell from a unit's ActiveState and Job, as `systemctl show` prints them, whether it runs or a job for it waits."""
    found = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    return bool(found.get("Job")) or found.get("ActiveState") in _AT_WORK


def _unit(action: str, action_id: str) -> str:
    if action not in PLAYS:
        raise ActionError(f"no playbook belongs to the action {action!r}")
    return f"{PLAYS[action].template}@{action_id}.service"
