"""Runs an action in a systemd unit of its own: hostseal-action@ID.service."""

import subprocess

from hostseal.errors import ActionError

_TIMEOUT_SECONDS = 10


class UnitExecutor:
    """Starts and watches units over systemctl; no shell, and the only argument is the action's id."""

    def start(self, action_id: str) -> None:
        """Start the unit and return at once; ActionError when systemd will not."""
        self._systemctl("reset-failed", action_id, check=False)
        self._systemctl("start", action_id, check=True, options=("--no-block",))

    def running(self, action_id: str) -> bool:
        """Return whether the unit has work left."""
        state = self._systemctl("show", action_id, check=True, options=("--property=ActiveState", "--value"))
        return state.strip() in {"activating", "active", "reloading", "deactivating"}

    def stop(self, action_id: str) -> None:
        """End the unit and everything in its control group."""
        self._systemctl("stop", action_id, check=False)

    def _systemctl(self, verb: str, action_id: str, *, check: bool, options: tuple[str, ...] = ()) -> str:
        command = ["systemctl", verb, *options, f"hostseal-action@{action_id}.service"]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ActionError(f"systemctl {verb} did not work: {error}") from error
        if check and done.returncode:
            raise ActionError(f"systemctl {verb} failed: {done.stderr.strip()[:500]}")
        return done.stdout
