"""An operator's wish to flag the host: spooled, judged by a real OPA, and the same wish is the same event."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hostseal.clock import SystemClock
from hostseal.core.event import Host
from hostseal.core.standing import Pardon
from hostseal.errors import OperatorError
from hostseal.operator_desk import OperatorDesk
from hostseal.pipeline import Pipeline
from hostseal.policy.bundle import build
from hostseal.policy.engine import OpaEngine
from hostseal.policy.packaged import policies
from hostseal.recorder import Recorder
from hostseal.spool.sqlite import SqliteSpool
from hostseal.standing_file import StandingFile
from hostseal.trial import opa_child
from hostseal.trial.session import SITE

WISH = {"person": "carol", "reason": "the disk is dying"}


class Agent:
    """What the desk needs of an agent, in front of a real OPA."""

    def __init__(self, folder: Path, url: str) -> None:
        host = Host(name="h", machine_id="m" * 32, boot_id="b" * 32)
        clock, listen = SystemClock(), lambda *_, **__: None
        self.spool = SqliteSpool(folder / "spool.db")
        self.flag = StandingFile(folder / "flag.json")
        recorder = Recorder(self.spool, host, clock, listen, pending_limit=10)
        engine = OpaEngine(url, ca=None, token_file=None, timeout_seconds=2)
        self.pipeline = Pipeline(self.spool, recorder, engine, self.flag, clock, listen, folder)
        self.desk = OperatorDesk(recorder, self.pipeline, self.spool, self.flag)
        self._stop, self._recorder = threading.Event(), recorder
        self._thread = threading.Thread(target=self.pipeline.run, args=(self._stop,))
        self._thread.start()

    def end(self) -> None:
        self._stop.set()
        self._recorder.wake.set()
        self._thread.join()
        self.spool.close()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, program = tmp_path_factory.mktemp("opa"), opa_child.find()
    build(program, policies(), SITE, folder / "bundle.tar.gz", None)
    with opa_child.running(program, folder / "bundle.tar.gz", folder / "log") as address:
        yield address


@pytest.fixture
def agent(tmp_path: Path, url: str) -> Iterator[Agent]:
    made = Agent(tmp_path, url)
    try:
        yield made
    finally:
        made.end()


def test_a_wish_is_decided_and_flags_the_host(agent: Agent) -> None:
    receipt = agent.desk.take(WISH)
    assert {**receipt, "id": None} == {
        "ok": True,
        "id": None,
        "new": True,
        "decided": True,
        "standing": "flagged",
    }
    incident = agent.flag.now.incident
    assert incident is not None
    assert (incident.reasons, incident.events) == (
        ('carol flagged the host: "the disk is dying".',),
        (receipt["id"],),
    )


def test_the_same_wish_is_the_same_event_until_a_pardon(agent: Agent) -> None:
    first, second = agent.desk.take(WISH), agent.desk.take(dict(WISH))
    assert (second["id"], second["new"], second["decided"]) == (first["id"], False, True)
    other = agent.desk.take({**WISH, "person": "dave"})
    assert (other["new"], other["id"] != first["id"]) == (True, True)
    pardon = Pardon(incident="x", person="eve", reason="a drill", nonce="n", time="t")
    agent.flag.change(lambda now: replace(now, incident=None, pardons=(pardon,)))
    again = agent.desk.take(WISH)
    assert (again["new"], again["standing"]) == (True, "flagged")


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        ({"reason": ""}, "reason is missing"),
        ({"person": " \n"}, "person is missing"),
        ({"person": None}, "person is missing"),
        ({"reason": ["x"]}, "reason is missing"),
        ({"reason": "\x1b" * 1001}, "reason is longer than 1000 characters"),
    ],
)
def test_a_wish_that_cannot_be_taken_leaves_no_event(agent: Agent, spoilt: dict[str, Any], why: str) -> None:
    with pytest.raises(OperatorError) as error:
        agent.desk.take({**WISH, **spoilt})
    assert error.value.message.startswith(why)
    assert error.value.message.isprintable()
    assert agent.spool.last_seq() == 0


def test_without_an_answer_the_wish_is_kept_and_said_to_be_undecided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hostseal.operator_desk.DECISION_SECONDS", 0.2)
    agent = Agent(tmp_path, "http://127.0.0.1:1")
    try:
        receipt = agent.desk.take(WISH)
        assert (receipt["new"], receipt["decided"], receipt["standing"]) == (True, False, "sealed")
        assert agent.spool.pending() == 1
    finally:
        agent.end()
