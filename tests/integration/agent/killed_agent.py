"""An agent's pipeline in a process of its own, that kills itself with SIGKILL right after one step of law 2.

Run as: python killed_agent.py STATE OPA_URL STEP NTH, where STEP `none` lets it run until the spool is empty.
"""

import os
import signal
import sys
from pathlib import Path

from hostseal.action_runner import ActionRunner
from hostseal.clock import SystemClock
from hostseal.config.settings import ActionsSettings, SpoolSettings
from hostseal.core.event import EventType, Host
from hostseal.pipeline import Pipeline
from hostseal.policy.engine import OpaEngine
from hostseal.recorder import Recorder
from hostseal.state import open_state
from hostseal.steps import Step
from hostseal.trial.local_flag import LocalFlag

HOST = Host(name="killed-1", machine_id="m" * 32, boot_id="b" * 32)
PATHS = [
    {
        "path": "/etc/hosts", "raw": None, "what": ["modified"], "sha256": None, "expected": False,
        "seal": "broken", "class": None, "differs": ["content"], "lays": None,
    }
]  # fmt: skip
CHANGED = {
    "writer": {
        "kind": "executable",
        "session": None,
        "exe": "/bin/sed",
        "pid": 1,
        "uid": 0,
        "action": None,
        "unit": None,
        "role": None,
        "via": None,
    },
    "paths": PATHS,
    "count": 1,
    "truncated": False,
    "confidence": "exact",
    "first": "2026-11-23T12:00:00.000000Z",
    "last": "2026-11-23T12:00:00.000000Z",
}


class KillAt:
    """Kills this process when a step has happened for the NTH time."""

    def __init__(self, step: str, nth: int) -> None:
        self._step, self._left = step, nth

    def __call__(self, step: Step, **_fields: object) -> None:
        """Count; kill."""
        if step == self._step:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Observe two changes (known by their keys, so a second start repeats them), and bring everything to an end."""
    state, url, step, nth = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    listener, clock = KillAt(step, nth), SystemClock()
    spool, flag, _ = open_state(state, SpoolSettings())
    recorder = Recorder(spool, HOST, clock, listener, pending_limit=100)
    engine = OpaEngine(url, ca=None, token_file=None, timeout_seconds=5)
    pipeline = Pipeline(spool, recorder, engine, flag, clock, listener, state)
    runner = ActionRunner(
        spool, LocalFlag(state), flag, pipeline, ActionsSettings(attempts=3), clock, listener, state
    )
    for key in ("first", "second"):
        recorder(EventType.FILES_CHANGED, CHANGED, sensor="files", key=key)
    while spool.pending():
        pipeline.step()
    while spool.next_action() is not None:
        runner.step()


if __name__ == "__main__":
    main()
