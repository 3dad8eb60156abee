"""Runs queued actions, one at a time, until each has succeeded or is dead-lettered, visibly."""

import threading
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from hostseal.actions.request import ActionFolder, Request, Result
from hostseal.config.settings import ActionsSettings
from hostseal.core.backoff import delay
from hostseal.core.event import timestamp
from hostseal.core.responses import sets_level
from hostseal.errors import ActionError, LockdownError, SpoolError
from hostseal.pipeline import Pipeline, publish
from hostseal.ports import Clock
from hostseal.spool.records import ActionState, ActionTask
from hostseal.spool.sqlite import SqliteSpool
from hostseal.standing_file import StandingFile
from hostseal.steps import Listener, Step

_POLL_SECONDS = 0.2
_GRACE_SECONDS = 30.0
_RETRY_BASE_SECONDS = 2.0
_RETRY_CAP_SECONDS = 300.0


class Executor(Protocol):
    """Runs an action apart from the agent."""

    def start(self, action: str, action_id: str) -> None:
        """Start it and return; ActionError when that fails."""

    def running(self, action: str, action_id: str) -> bool:
        """Return whether it is still at work."""

    def stop(self, action: str, action_id: str) -> None:
        """End it."""


class ActionRunner:
    """Drives the Executor port from the spool's queue of actions."""

    def __init__(
        self,
        spool: SqliteSpool,
        executor: Executor,
        flag: StandingFile,
        pipeline: Pipeline,
        settings: ActionsSettings,
        clock: Clock,
        listener: Listener,
        state: Path,
    ) -> None:
        self._spool, self._executor, self._flag, self._wake = spool, executor, flag, pipeline.actions_wake
        self._responses, self._recorder = pipeline.responses, pipeline.recorder
        self._settings, self._clock, self._listener, self._state = settings, clock, listener, state

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        while not stop.is_set():
            try:
                wait = self.step(stop)
            except SpoolError as error:
                self._listener(Step.ACTION_FAILED, error=str(error))
                wait = 1.0
            if wait is None or wait > 0:
                self._wake.wait(wait)
                self._wake.clear()

    def wake(self) -> None:
        """Let :meth:`run` look again."""
        self._wake.set()

    def step(self, stop: threading.Event | None = None) -> float | None:
        """Bring the action that is due first one round further; return the seconds to wait, None for no action."""
        stop = stop or threading.Event()
        task = self._spool.next_action()
        if task is None:
            return None
        pause = task.next_try - self._clock.now().timestamp()
        if pause > 0:
            return pause
        if task.state is ActionState.QUEUED:
            task = self._start(task)
        if task.state is ActionState.RUNNING:
            result = self._result(task, stop)
            if result is not None:
                self._finish(task, result)
        return 0.0

    def _start(self, task: ActionTask) -> ActionTask:
        if self._superseded(task):
            superseded = Result(
                attempt=task.attempts, ok=True, message="superseded: the standing is another by now"
            )
            self._finish(task, superseded)
            return replace(task, state=ActionState.DONE)
        task = replace(task, state=ActionState.RUNNING, attempts=task.attempts + 1)
        try:
            request = Request(
                id=task.id,
                action=task.action,
                incident=task.incident,
                attempt=task.attempts,
                time_limit_seconds=self._settings.time_limit_seconds,
                playbooks=self._settings.playbooks,
                declared=self._prepare(task),
            )
            ActionFolder(self._state, task.id).ask(request)
            self._spool.action_state(task)
            self._executor.start(task.action, task.id)
        except (ActionError, LockdownError, OSError) as error:
            self._finish(task, Result(attempt=task.attempts, ok=False, message=str(error)))
            return replace(task, state=ActionState.QUEUED, next_try=float("inf"))
        self._listener(Step.ACTION_STARTED, action=task.action, action_id=task.id, attempt=task.attempts)
        return task

    def _superseded(self, task: ActionTask) -> bool:
        incident = self._flag.now.incident
        if task.action == "flag":
            return incident is None or incident.id != task.incident
        if task.action == "pardon":
            return incident is not None
        return self._responses.superseded(task)

    def _prepare(self, task: ActionTask) -> dict[str, str | None]:
        if task.action in {"flag", "pardon"}:
            return publish(self._state, task.incident, self._flag.now)
        return self._responses.prepare(task)

    def _result(self, task: ActionTask, stop: threading.Event) -> Result | None:
        deadline = self._clock.monotonic() + self._settings.time_limit_seconds + _GRACE_SECONDS
        folder = ActionFolder(self._state, task.id)
        unseen = ""
        while not stop.is_set():
            try:
                running, unseen = self._executor.running(task.action, task.id), ""
            except ActionError as error:
                # It may well be at work: another action must not be started beside it.
                running, unseen = True, f"; {error}"
            if result := folder.result(task.attempts):
                return result
            if not running:
                return Result(
                    attempt=task.attempts, ok=False, message="the action's unit ended without a result"
                )
            if self._clock.monotonic() > deadline:
                self._executor.stop(task.action, task.id)
                late = f"stopped after its time limit of {self._settings.time_limit_seconds:g} s{unseen}"
                return Result(attempt=task.attempts, ok=False, message=late)
            stop.wait(_POLL_SECONDS)
        return None

    def _finish(self, task: ActionTask, result: Result) -> None:
        now = self._clock.now()
        fields = {
            "action": task.action,
            "action_id": task.id,
            "attempt": task.attempts,
            "message": result.message,
        }
        if result.ok:
            self._spool.action_state(
                replace(task, state=ActionState.DONE, error=None, finished=timestamp(now), next_try=0.0)
            )
            self._listener(Step.ACTION_DONE, **fields)
            if task.state is ActionState.RUNNING and sets_level(task.action):
                self._responses.finished(task, self._recorder.host)
            return
        dead = task.attempts >= self._settings.attempts
        wait = delay(task.attempts, base=_RETRY_BASE_SECONDS, cap=_RETRY_CAP_SECONDS)
        self._spool.action_state(
            replace(
                task,
                state=ActionState.DEAD if dead else ActionState.QUEUED,
                error=result.message,
                next_try=now.timestamp() + wait,
                finished=timestamp(now) if dead else None,
            )
        )
        self._listener(Step.ACTION_FAILED, **fields, dead=dead)
