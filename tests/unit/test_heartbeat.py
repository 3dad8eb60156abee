"""The agent's regular word: at the start, then at its pace, with what waits and what was lost."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hostseal.config.seal import SealSettings
from hostseal.config.settings import AgentSettings, Settings
from hostseal.core.engine_watch import Seen, Status
from hostseal.core.event import Event, EventType, Host
from hostseal.heartbeat import FIRST_SECONDS, Heartbeat, built
from hostseal.recorder import Recorder
from hostseal.sensors.decision_log import DecisionLogWatch
from hostseal.spool.records import ActionState, ActionTask
from hostseal.spool.sqlite import SqliteSpool

HOST = Host(name="web-1", machine_id="a" * 32, boot_id="b" * 32, image="sha256:" + "c" * 64)
LOSS = {"sensor": "fanotify", "cause": "overflow", "since": None, "until": None, "scope": "/etc", "rescanned": False, "detail": {}}  # fmt: skip


class SteppedClock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds


class Agent:
    """A heartbeat over a real spool."""

    def __init__(self, folder: Path, host: Host = HOST, seen: Seen | None = None) -> None:
        self.clock, self.spool, self.events = SteppedClock(), SqliteSpool(folder / "spool.db"), list[Event]()
        self.recorder = Recorder(self.spool, host, self.clock, lambda *_, **__: None, pending_limit=100)
        self.manifest = folder / "image.seal"
        settings = Settings(
            agent=AgentSettings(heartbeat_seconds=100.0), seal=SealSettings(manifest=str(self.manifest))
        )
        self.watch = None
        if seen is not None:
            self.watch = DecisionLogWatch(
                lambda: seen, self.recorder, self.spool, self.clock, lambda *_, **__: None, 15.0
            )
        self.heartbeat = Heartbeat(self.recorder, self.spool, self.clock, settings, self.watch)
        self.recorder.told = self._told

    def _told(self, event: Event) -> None:
        self.events.append(event)
        self.heartbeat.told(event)

    def beats(self) -> list[dict[str, Any]]:
        return [event.data for event in self.events if event.type is EventType.AGENT_HEARTBEAT]


def test_at_the_start_and_then_at_its_pace(tmp_path: Path) -> None:
    agent, times = Agent(tmp_path), list[float]()
    for _ in range(50):
        before = len(agent.beats())
        agent.heartbeat.tick()
        times += [agent.clock.seconds - 1_000_000] * (len(agent.beats()) - before)
        agent.clock.seconds += 5
    assert times == [0, 100, 200]


def test_the_first_one_waits_for_the_first_look_at_the_policy_engine(tmp_path: Path) -> None:
    agent = Agent(tmp_path, seen=Seen(status=Status(instance="i", revision="60387db2")))
    agent.heartbeat.tick()
    assert agent.beats() == []
    assert agent.watch is not None
    agent.watch.step()
    agent.heartbeat.tick()
    assert agent.beats()[0]["policy"] == {"revision": "60387db2"}


def test_it_does_not_wait_for_ever(tmp_path: Path) -> None:
    agent = Agent(tmp_path, seen=Seen(down="refused"))
    agent.clock.seconds += FIRST_SECONDS
    agent.heartbeat.tick()
    assert agent.beats()[0]["policy"] == {"revision": None}


def test_what_waits_and_what_was_given_up(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    assert agent.heartbeat.data()["spool"] == {"pending": 0, "oldest_seconds": None, "dead": 0}
    agent.recorder(EventType.AGENT_STOPPED, {"reason": "x"}, sensor="agent", key="1")
    agent.clock.seconds += 12.5
    agent.recorder(EventType.AGENT_STOPPED, {"reason": "x"}, sensor="agent", key="2")
    task = ActionTask(id="a", action="flag", incident="i", event="e", created="t", state=ActionState.QUEUED, attempts=0, next_try=0)  # fmt: skip
    agent.spool.queue_action(task)
    agent.spool.action_state(msgspec.structs.replace(task, state=ActionState.DEAD))
    assert agent.heartbeat.data()["spool"] == {"pending": 2, "oldest_seconds": 12.5, "dead": 1}


def test_losses_are_counted_for_each_sensor_and_what_was_scanned_again_not_twice(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    for number, change in enumerate([{}, {"rescanned": True}, {"sensor": "decision log"}, {}]):
        agent.recorder(EventType.SENSOR_LOST, {**LOSS, **change}, sensor="t", key=str(number))
    assert agent.heartbeat.data()["lost"] == {"decision log": 1, "fanotify": 2}


def test_an_image_is_as_old_as_its_manifest(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    assert agent.heartbeat.data()["image"] == {"id": HOST.image, "built": None}
    agent.manifest.write_bytes(b"")
    os.utime(agent.manifest, (1_000_000_000, 1_000_000_000))
    assert agent.heartbeat.data()["image"] == {"id": HOST.image, "built": "2001-09-09T01:46:40.000000Z"}
    (tmp_path / "other").mkdir()
    installed = Agent(tmp_path / "other", msgspec.structs.replace(HOST, image=None))
    assert installed.heartbeat.data()["image"] == {"id": None, "built": None}


@pytest.mark.parametrize("place", ["none", "", "file/none"])
def test_a_manifest_that_is_not_there_has_no_date(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    assert built(tmp_path / place / "x") is None
