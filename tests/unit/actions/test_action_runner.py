"""Playbooks that fail, hang or leave nothing: tried again with back-off, and dead-lettered where everybody can see it."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from hostseal.action_runner import ActionRunner
from hostseal.actions.request import ActionFolder, Request, Result, declared_since
from hostseal.config.settings import ActionsSettings
from hostseal.core.standing import Incident, Standing
from hostseal.errors import ActionError
from hostseal.pipeline import Pipeline
from hostseal.spool.records import ActionState, ActionTask
from hostseal.spool.sqlite import SqliteSpool
from hostseal.standing_file import StandingFile
from hostseal.steps import Step

ID, INCIDENT = "a" * 8, "i" * 8


class FastClock:
    """A clock on which every look takes ten seconds."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        self.seconds += 10
        return self.seconds


class Unit:
    """An executor whose units do what a test says."""

    def __init__(self, state: Path, fate: str) -> None:
        self.state, self.fate, self.started, self.stopped, self.looks = state, fate, 0, 0, 0

    def start(self, _action: str, action_id: str) -> None:
        if self.fate == "refused":
            raise ActionError("systemd would not")
        self.started += 1
        if self.fate in {"fails", "works"}:
            works = self.fate == "works"
            ActionFolder(self.state, action_id).answer(
                Result(attempt=self.started, ok=works, message=self.fate)
            )

    def running(self, _action: str, action_id: str) -> bool:
        self.looks += 1
        if self.fate == "never seen" or (self.fate == "not seen at first" and self.looks < 3):
            raise ActionError("systemctl show did not work")
        if self.fate == "not seen at first":
            ActionFolder(self.state, action_id).answer(Result(attempt=self.started, ok=True, message="seen"))
        return self.fate in {"hangs", "not seen at first"}

    def stop(self, _action: str, _action_id: str) -> None:
        self.stopped += 1


class Bench:
    """A runner with one queued action."""

    def __init__(self, state: Path, fate: str, *, flagged: bool = True) -> None:
        self.clock, self.unit, self.steps = FastClock(), Unit(state, fate), []
        self.spool = SqliteSpool(state / "spool.db")
        flag = StandingFile(state / "flag.json")
        incident = Incident(id=INCIDENT, opened="t", events=("e",), evidence=1, reasons=())
        if flagged:
            flag.change(lambda _: Standing(incident=incident))
        task = ActionTask(
            id=ID, action="flag", incident=INCIDENT, event="e", created="t", state=ActionState.QUEUED
        )
        self.spool.queue_action(task)
        pipeline = Pipeline(self.spool, None, None, flag, self.clock, self.listen, state)  # type: ignore[arg-type]
        settings = ActionsSettings(attempts=3, time_limit_seconds=20)
        self.runner = ActionRunner(
            self.spool, self.unit, flag, pipeline, settings, self.clock, self.listen, state
        )

    def listen(self, step: Step, **_fields: object) -> None:
        self.steps.append(step)

    def run(self) -> ActionTask:
        """Step until the action is done or dead, as time goes by."""
        for _ in range(20):
            if (wait := self.runner.step()) is None:
                break
            self.clock.seconds += wait
        task = self.spool.action(ID)
        assert task is not None
        return task


@pytest.mark.parametrize(
    ("fate", "why"),
    [
        ("fails", "fails"),
        ("hangs", "stopped after its time limit of 20 s"),
        ("never seen", "stopped after its time limit of 20 s; systemctl show did not work"),
        ("vanishes", "the action's unit ended without a result"),
        ("refused", "systemd would not"),
    ],
)
def test_an_action_that_does_not_succeed_is_tried_again_and_then_dead_lettered(
    tmp_path: Path, fate: str, why: str
) -> None:
    bench = Bench(tmp_path, fate)
    task = bench.run()
    assert (task.state, task.attempts, task.error) == (ActionState.DEAD, 3, why)
    assert bench.steps.count(Step.ACTION_FAILED) == 3
    assert bench.unit.stopped == (3 if fate in {"hangs", "never seen"} else 0)


def test_an_action_that_works_is_run_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "works")
    task = bench.run()
    assert (task.state, task.attempts, task.error) == (ActionState.DONE, 1, None)
    assert bench.unit.started == 1


def test_a_unit_that_cannot_be_looked_at_is_taken_to_be_at_work(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "not seen at first")
    task = bench.run()
    assert (task.state, task.attempts, bench.unit.started) == (ActionState.DONE, 1, 1)


def test_a_flag_that_was_taken_back_meanwhile_is_not_published(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "works", flagged=False)
    task = bench.run()
    assert (task.state, bench.unit.started) == (ActionState.DONE, 0)


def test_a_run_that_outlived_the_agent_is_taken_up_not_started_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "works")
    task = bench.spool.action(ID)
    assert task is not None
    bench.spool.action_state(replace(task, state=ActionState.RUNNING, attempts=1))
    ActionFolder(tmp_path, ID).path.mkdir(parents=True)
    ActionFolder(tmp_path, ID).answer(Result(attempt=1, ok=True, message="done while the agent was down"))
    assert bench.run().state is ActionState.DONE
    assert bench.unit.started == 0


def test_a_late_pardon_does_not_take_the_banner_of_a_newer_flag(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "works")
    bench.spool.done("e", "t")
    late = ActionTask(
        id="b" * 8, action="pardon", incident="older", event="e", created="s", state=ActionState.QUEUED
    )
    bench.spool.queue_action(late)
    bench.run()
    task = bench.spool.action(late.id)
    assert task is not None
    assert (task.state, bench.unit.started) == (ActionState.DONE, 1)


def test_what_a_later_action_declared_is_expected_of_an_earlier_one_and_not_the_other_way(
    tmp_path: Path,
) -> None:
    for number, (name, digest) in enumerate((("old", None), ("new", "aa"))):
        request = Request(
            id=name,
            action="flag",
            incident="i",
            attempt=1,
            time_limit_seconds=1,
            playbooks="",
            declared={"/p": digest},
        )
        ActionFolder(tmp_path, name).ask(request)
        os.utime(tmp_path / "actions" / name / "request.json", ns=(number, number))
    assert declared_since(tmp_path, "old") == {b"/p": frozenset({None, "aa"})}
    assert declared_since(tmp_path, "new") == {b"/p": frozenset({"aa"})}
