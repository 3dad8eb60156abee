"""How the seal stands, in words for people and programs."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hostseal.config.seal import SealSettings
from hostseal.core.event import timestamp
from hostseal.core.scan_plan import Job, Outcome
from hostseal.core.scopes import WHOLE
from hostseal.core.text import faithful
from hostseal.ports import Seal
from hostseal.scans.belief import Belief
from hostseal.scans.child import Ended

_KEPT = 8


class Standing:
    """What is known of the manifest and of the scans so far."""

    def __init__(self, settings: SealSettings) -> None:
        self._settings = settings
        self._belief = Belief(detail="the manifest was not read yet")
        self._unread = True
        self._as_of: str | None = None
        self._last: dict[str, Any] | None = None
        self._given_up: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._ended = dict.fromkeys(Outcome, 0)
        self.refused = self.rests = 0
        self.unnoted: str | None = None

    @property
    def why(self) -> str:
        """Why there is no manifest to compare with, "" when there is one."""
        return ": ".join(filter(None, (self._belief.cause, self._belief.detail)))

    @property
    def trouble(self) -> str | None:
        """What a person should know of it, None when there is nothing."""
        if self._belief.cause:
            return f"the seal's manifest is not believed: {self.why}"
        if self._given_up:
            return f"a scan was given up: {self._given_up[-1]['why']}"
        return self.unnoted

    def believes(self, found: Belief) -> bool:
        """Take what is believed now; return whether that is another cause or detail than before."""
        news = self._unread or (found.cause, found.detail) != (self._belief.cause, self._belief.detail)
        if found.seal is None:
            self._as_of = None
        self._belief, self._unread = found, False
        return news

    def ended(self, job: Job, ended: Ended, now: datetime, *, given_up: bool) -> None:
        """Take how a scan ended."""
        self._ended[ended.outcome] += 1
        self._last = {**_job(job), "outcome": str(ended.outcome), "why": ended.why, "ended": timestamp(now)}
        if ended.summary is not None:
            summary = ended.summary
            self._last |= {
                "entries": summary.entries,
                "hashed": summary.hashed,
                "cached": summary.cached,
                "seconds": summary.seconds,
            }
        if given_up:
            self._given_up.append(self._last)
        if ended.outcome is Outcome.DONE and job.scope == WHOLE:
            self._as_of = timestamp(now)
            self._given_up.clear()

    def status(
        self,
        seal: Seal | None,
        differences: int,
        *,
        waiting: Sequence[Job],
        running: Job | None,
        pid: int | None,
        owed: int,
    ) -> dict[str, Any]:
        """Return the state in one word and everything behind it.

        `intact` is only said after a scan of the whole was done, while none is under way, waits or was given up.
        """
        busy = running is not None or bool(waiting) or bool(self._given_up) or self._as_of is None
        if self._unread:
            state = "unknown"
        elif seal is None:
            state = "untrusted" if self._belief.cause else "none"
        elif differences:
            state = "broken"
        else:
            state = "unknown" if busy else "intact"
        return {
            "state": state,
            "why": f"{self._belief.cause}: {self._belief.detail}"
            if self._belief.cause
            else self._belief.detail,
            "image": None if seal is None else seal.image,
            "manifest": None if seal is None else seal.manifest,
            "entries": None if seal is None else seal.entries,
            "as_of": self._as_of,
            "differences": differences,
            "scans": {
                "running": None if running is None else {**_job(running), "pid": pid},
                "waiting": [_job(job) for job in waiting],
                "last": self._last,
                "given_up": list(self._given_up),
                "ended": {str(outcome): count for outcome, count in self._ended.items()},
                "losses_waiting": owed,
                "losses_refused": self.refused,
                "rests_named": self.rests,
                "limits": {
                    "urgent_seconds": self._settings.urgent_seconds,
                    "limit_seconds": self._settings.limit_seconds,
                    "attempts": self._settings.attempts,
                },
            },
        }


def _job(job: Job) -> dict[str, Any]:
    return {
        "cause": str(job.cause),
        "scope": [faithful(path) for path in job.scope],
        "pace": str(job.pace),
        "attempts": job.attempts,
    }
