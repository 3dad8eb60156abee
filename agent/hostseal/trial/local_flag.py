"""The trial's executor: the flag is put into a local file, no playbook is run."""

import shutil
from pathlib import Path

from hostseal.actions.request import ActionFolder, Result
from hostseal.errors import ActionError


class LocalFlag:
    """Copies what a playbook would publish to `published/` in the trial's state."""

    def __init__(self, state: Path) -> None:
        self._state = state

    def start(self, _action: str, action_id: str) -> None:
        """Publish at once and store the result."""
        folder = ActionFolder(self._state, action_id)
        request = folder.request()
        try:
            shutil.rmtree(self._state / "published", ignore_errors=True)
            shutil.copytree(
                self._state / "incidents" / request.incident / "publish", self._state / "published"
            )
        except OSError as error:
            raise ActionError(f"cannot publish: {error}") from error
        told = f"published in {self._state / 'published'}"
        folder.answer(Result(attempt=request.attempt, ok=True, message=told))

    def running(self, _action: str, _action_id: str) -> bool:
        """Return False: it is done when `start` returns."""
        return False

    def stop(self, _action: str, _action_id: str) -> None:
        """Do nothing: nothing runs."""
