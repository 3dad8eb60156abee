"""No answer is not an answer: a real OPA that is slow, undefined or malformed leaves the event where it is, in order."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hostseal.core.event import Event, EventType, Host, timestamp
from hostseal.core.standing import Standing
from hostseal.errors import NoAnswerError, UndefinedDecisionError
from hostseal.pipeline import Pipeline
from hostseal.policy.bundle import build
from hostseal.policy.engine import OpaEngine
from hostseal.policy.packaged import policies
from hostseal.recorder import Recorder
from hostseal.spool.sqlite import SqliteSpool
from hostseal.standing_file import StandingFile
from hostseal.trial import opa_child
from hostseal.trial.session import SITE

HOST = Host(name="h", machine_id="m" * 32, boot_id="b" * 32)
STARTED = {"version": "1", "config_digest": "x", "policy_revision": None, "sensors": []}
EVENT = Event(
    id="e",
    type=EventType.AGENT_STARTED,
    time=timestamp(datetime(2026, 1, 1, tzinfo=UTC)),
    seq=1,
    host=HOST,
    data=STARTED,
)


class SteppedClock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds


@contextmanager
def opa(folder: Path, rego: str | None) -> Iterator[OpaEngine]:
    """A real OPA with one policy, or with Hostseal's own."""
    program, bundle = opa_child.find(), folder / "bundle.tar.gz"
    if rego is None:
        build(program, policies(), SITE, bundle, None)
    else:
        (folder / "policy").mkdir(exist_ok=True)
        (folder / "policy/p.rego").write_text(rego)
        subprocess.run([program, "build", "-b", folder / "policy", "-o", bundle], check=True, timeout=60)
    with opa_child.running(program, bundle, folder / "log") as url:
        yield OpaEngine(url, ca=None, token_file=None, timeout_seconds=0.5)


UNDEFINED = "package hostseal.event\nother := 1\n"
MALFORMED = [
    'package hostseal.event\ndecision := {"allowed": "yes"}\n',
    'package hostseal.event\ndecision := {"allowed": false, "violations": [], "findings": [], "actions": []}\n',
    'package hostseal.event\ndecision := {"allowed": true, "violations": [], "findings": [], "actions": ["rm -rf"]}\n',
    "package hostseal.event\ndecision := 7\n",
]


@pytest.mark.parametrize("rego", [UNDEFINED, *MALFORMED])
def test_an_undefined_or_malformed_decision_is_no_answer(tmp_path: Path, rego: str) -> None:
    with opa(tmp_path, rego) as engine, pytest.raises(UndefinedDecisionError):
        engine.decide(EVENT, Standing())


def test_nobody_on_the_port_is_no_answer() -> None:
    engine = OpaEngine("http://127.0.0.1:1", ca=None, token_file=None, timeout_seconds=0.5)
    with pytest.raises(NoAnswerError, match="gave no answer: ConnectionError"):
        engine.decide(EVENT, Standing())


def test_a_slow_opa_is_no_answer_and_the_next_question_is_answered(tmp_path: Path) -> None:
    with opa(tmp_path, None) as engine:
        child = int(
            subprocess.run(
                ["pgrep", "--newest", "-P", str(os.getpid()), "opa"], capture_output=True, check=True
            ).stdout
        )
        os.kill(child, signal.SIGSTOP)
        try:
            with pytest.raises(NoAnswerError):
                engine.decide(EVENT, Standing())
        finally:
            os.kill(child, signal.SIGCONT)
        assert engine.decide(EVENT, Standing()).decision.allowed


def test_events_wait_for_an_answer_and_are_then_decided_in_their_order(tmp_path: Path) -> None:
    steps: list[tuple[str, object]] = []
    clock = SteppedClock()
    spool = SqliteSpool(tmp_path / "spool.db")

    def listen(step: str, **fields: object) -> None:
        steps.append((str(step), fields.get("id")))

    recorder = Recorder(spool, HOST, clock, listen, pending_limit=10)
    first, second = (recorder("agent.started", STARTED, sensor="agent", key=key) for key in "ab")
    flag = StandingFile(tmp_path / "flag.json")
    nobody = OpaEngine("http://127.0.0.1:1", ca=None, token_file=None, timeout_seconds=0.2)
    without = Pipeline(spool, recorder, nobody, flag, clock, listen, tmp_path)
    assert without.step() == 0.0
    assert without.step() > 0.0
    assert without.trouble is not None
    assert spool.pending() == 2
    clock.seconds += 60
    with opa(tmp_path, None) as engine:
        pipeline = Pipeline(spool, recorder, engine, flag, clock, listen, tmp_path)
        while spool.pending():
            pipeline.step()
    done = [identity for step, identity in steps if step == "event.acknowledged"]
    assert done == [first, second]
