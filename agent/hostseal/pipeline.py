"""Law 2, in its order: observe, spool, decide, log, act, log the outcome, acknowledge."""

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from hostseal import durable
from hostseal.core import publication, standing
from hostseal.core.backoff import delay
from hostseal.core.decision import Action
from hostseal.core.event import Event, EventType, from_timestamp, timestamp
from hostseal.core.ids import action_id, incident_id
from hostseal.errors import NoAnswerError, SpoolError
from hostseal.lockdown_file import NAME as LOCKDOWN
from hostseal.lockdown_file import LockdownFile
from hostseal.policy.answer import Answer
from hostseal.ports import Clock
from hostseal.recorder import Recorder
from hostseal.responses import OpenSshSessions, Responses
from hostseal.spool.records import ActionState, ActionTask, Task, TaskState
from hostseal.spool.sqlite import SqliteSpool
from hostseal.standing_file import StandingFile
from hostseal.steps import Listener, Step

_IDLE_SECONDS = 60.0
_SETTLED_KEPT = 1024


def _nobody(_event: Event) -> None:
    """Where there is no login gate, nothing is armed."""


class PolicyEngine(Protocol):
    """Answers about one event at a time."""

    def decide(self, event: Event, now: standing.Standing) -> Answer:
        """Return the answer; raise NoAnswerError when there is none (law 3)."""


class Pipeline:
    """Takes the spool's events, oldest first, from observation to acknowledgement."""

    def __init__(
        self,
        spool: SqliteSpool,
        recorder: Recorder,
        engine: PolicyEngine,
        flag: StandingFile,
        clock: Clock,
        listener: Listener,
        state: Path,
        open_sessions: OpenSshSessions = tuple,
        *,
        arm: Callable[[Event], None] = _nobody,
    ) -> None:
        self._arm = arm
        self._spool, self.recorder, self._engine, self._flag = spool, recorder, engine, flag
        self._clock, self._listener, self._state = clock, listener, state
        self.responses = Responses(
            spool, LockdownFile(state / LOCKDOWN), clock, listener, state, open_sessions
        )
        self._settled: deque[str] = deque(maxlen=_SETTLED_KEPT)
        self._news = threading.Condition()
        self.actions_wake = threading.Event()
        self.trouble: str | None = None

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        while not stop.is_set():
            wait = self.step()
            if wait > 0:
                self.recorder.wake.wait(wait)
            self.recorder.wake.clear()

    def step(self) -> float:
        """Bring the oldest event one round further; return the seconds until there may be more to do."""
        try:
            task = self._spool.head()
            if task is None:
                return _IDLE_SECONDS
            pause = task.next_try - self._clock.now().timestamp()
            if task.state is TaskState.PENDING and pause > 0:
                return min(pause, _IDLE_SECONDS)
            return self._forward(task)
        except (SpoolError, OSError) as error:
            self.trouble = str(error)
            self._listener(Step.NO_ANSWER, error=str(error))
            return 1.0

    def _forward(self, task: Task) -> float:
        if task.state is TaskState.PENDING:
            decided = self._decide(task)
            if decided is None:
                return 0.0
            task = decided
        if task.state is not TaskState.DONE:
            self._act(task)
            self._spool.done(task.event.id, timestamp(self._clock.now()))
        self._settle(task.event.id)
        self._listener(Step.ACKNOWLEDGED, id=task.event.id, type=str(task.event.type), seq=task.event.seq)
        self.trouble = None
        self.recorder.room()
        return 0.0

    def _decide(self, task: Task) -> Task | None:
        event = task.event
        try:
            answer = self._engine.decide(event, self._flag.now)
        except NoAnswerError as error:
            wait = delay(task.attempts + 1)
            self._spool.failed(event.id, str(error), self._clock.now().timestamp() + wait)
            self.trouble = str(error)
            self._listener(
                Step.NO_ANSWER, id=event.id, type=str(event.type), error=str(error), retry_seconds=wait
            )
            return None
        keep = self._spool.decided if standing.may_move(event, answer.decision) else self._spool.concluded
        keep(event.id, answer.decision_id, answer.decision, timestamp(self._clock.now()))
        self.recorder.learn(answer.decision.host)
        self._listener(
            Step.DECIDED,
            id=event.id,
            type=str(event.type),
            decision_id=answer.decision_id,
            actions=",".join(answer.decision.actions) or "none",
            would=",".join(answer.decision.would) or None,
            why="; ".join(finding.message for finding in answer.decision.findings) or None,
        )
        return self._spool.task(event.id)

    def _act(self, task: Task) -> None:
        event, decision = task.event, task.decision
        if decision is None or task.decided is None:
            raise SpoolError(f"event {event.id} is marked decided and has no decision")
        moment = from_timestamp(task.decided)
        after, moved = self._flag.change(lambda now: standing.decided(now, event, decision, moment))
        if moved:
            self._listener(Step.STANDING, id=event.id, state=str(after.state))
        about = after.incident.id if after.incident is not None else incident_id(event.id)
        if self.responses.act(event, decision, about, moment):
            self.actions_wake.set()
        self._settle(event.id)
        if Action.ARM in decision.actions:
            self._arm(event)
        if after.incident is not None and after.incident.id == incident_id(event.id):
            self._queue("flag", after.incident.id, event, after)
        if event.type is EventType.FLAG_PARDONED:
            self._queue("pardon", event.data["incident"], event, after)

    def _queue(self, action: str, incident: str, event: Event, now: standing.Standing) -> None:
        publish(self._state, incident, now)
        self._listener(Step.PUBLISHED, id=event.id, incident=incident)
        task = ActionTask(
            id=action_id(event.host.machine_id, event.host.boot_id, incident, action),
            action=action,
            incident=incident,
            event=event.id,
            created=timestamp(self._clock.now()),
            state=ActionState.QUEUED,
        )
        self._spool.queue_action(task)
        self._listener(Step.QUEUED, id=event.id, action=action, action_id=task.id, incident=incident)
        self.actions_wake.set()

    def _settle(self, event_id: str) -> None:
        with self._news:
            if event_id not in self._settled:
                self._settled.append(event_id)
                self._news.notify_all()

    def settled(self, event_id: str, timeout: float) -> bool:
        """Wait until the standing that follows from an event is on disk; return whether it was in time (seconds)."""
        with self._news:
            return self._news.wait_for(lambda: event_id in self._settled, timeout)


def publish(state: Path, incident: str, now: standing.Standing) -> dict[str, str | None]:
    """Write what the incident's playbook copies; return path -> SHA-256 it will then have, None for absent."""
    folder = state / "incidents" / incident / "publish"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    contents = publication.files(now)
    for path, body in contents.items():
        name = folder / {publication.BANNER: "banner", publication.FACT: "fact.json"}[path]
        if body is None:
            name.unlink(missing_ok=True)
        else:
            durable.write(name, body)
    return publication.expected(contents)
