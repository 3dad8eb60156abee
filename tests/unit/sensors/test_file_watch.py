"""The composed file sensor: supervision, sessions, back-pressure. Its backend is a double that follows a script."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from hostseal.clock import SystemClock
from hostseal.config.files import FilesSettings
from hostseal.core.attribution import ProcessFacts, Proof, TracedChange
from hostseal.errors import SensorDiedError, SpoolError
from hostseal.ports import FileSink
from hostseal.sensors.file_guard import Guard, Unguarded
from hostseal.sensors.file_service import FileService
from hostseal.sensors.file_watch import FileWatch
from hostseal.sensors.laying import Laying

DEADLINE = 20.0
BY_BASH = ProcessFacts(pid=7, proof=Proof.ALIVE, exe="/usr/bin/bash", uid=0, audit_session=12, login_uid=1000)
Script = Callable[[FileSink], None]


class Scripted:
    name = "scripted"

    def __init__(self, script: Script) -> None:
        self._script = script

    def run(self, sink: FileSink, stop: threading.Event) -> None:
        self._script(sink)
        stop.wait()

    def counts(self) -> dict[str, int]:
        return {}


class Spool:
    """Takes events as the real one does: refuses or blocks when it is told to."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Mapping[str, Any], str]] = []
        self.refuse = 0
        self.open = threading.Event()
        self.open.set()
        self.asked = threading.Event()
        self._news = threading.Condition()

    def __call__(self, event_type: str, data: Mapping[str, Any], *, sensor: str, key: str) -> str:
        assert sensor == "files"
        self.asked.set()
        assert self.open.wait(DEADLINE)
        with self._news:
            if self.refuse:
                self.refuse -= 1
                raise SpoolError("disk full")
            self.events.append((event_type, data, key))
            self._news.notify_all()
        return key

    def of(self, event_type: str) -> list[Mapping[str, Any]]:
        return [data for kind, data, _ in self.events if kind == event_type]

    def wait(self, done: Callable[[], bool]) -> None:
        with self._news:
            assert self._news.wait_for(done, DEADLINE), self.events


@contextmanager
def watching(
    script: Script,
    spool: Spool,
    sessions: Callable[[int], Mapping[str, Any] | None] = lambda _: None,
    laying: Laying | None = None,
    guard: Guard | None = None,
) -> Iterator[FileWatch]:
    settings = FilesSettings(watch=("/nowhere",), quiet_seconds=0.05, max_age_seconds=1.0, max_paths=2)
    watch = FileWatch(
        settings,
        spool,
        sessions,
        lambda _: None,
        SystemClock(),
        make=lambda: Scripted(script),
        laying=laying,
        guard=guard,
    )
    stop = threading.Event()
    thread = threading.Thread(target=watch.run, args=(stop,))
    thread.start()
    try:
        yield watch
    finally:
        stop.set()
        thread.join(DEADLINE)
        assert not thread.is_alive()


def change(sink: FileSink, path: bytes = b"/nowhere/a", process: ProcessFacts | None = None) -> None:
    sink.changed(TracedChange(path=path, what="modified", at=time.monotonic(), process=process))


def test_a_death_is_a_loss_and_the_backend_is_started_again() -> None:
    deaths = iter([SensorDiedError("gone"), ValueError("a bug")])

    def script(sink: FileSink) -> None:
        for death in deaths:
            raise death
        change(sink)

    spool = Spool()
    with watching(script, spool) as watch:
        spool.wait(lambda: bool(spool.of("files.changed")))
        status = watch.status()
    losses = spool.of("sensor.lost")
    assert [loss["cause"] for loss in losses] == ["sensor_died"] * 2
    assert [loss["detail"]["error"] for loss in losses] == ["SensorDiedError: gone", "ValueError: a bug"]
    assert all(loss["rescanned"] is False and loss["scope"] == "/nowhere" for loss in losses)
    assert (status["alive"], status["backend"], status["lost"]) == (True, "scripted", 2)


def test_a_refused_event_is_tried_again_under_the_same_key() -> None:
    spool = Spool()
    spool.refuse = 2
    with watching(change, spool):
        spool.wait(lambda: bool(spool.events))
    assert len(spool.events) == 1
    assert spool.events[0][1]["count"] == 1
    assert spool.events[0][2].endswith("/0")


def test_while_the_spool_is_full_changes_are_folded_and_none_is_lost() -> None:
    spool = Spool()
    spool.open.clear()
    done = threading.Event()

    def script(sink: FileSink) -> None:
        change(sink)
        assert spool.asked.wait(DEADLINE)
        for number in range(10_000):
            change(sink, b"/nowhere/%d" % number)
        done.set()

    with watching(script, spool):
        assert done.wait(DEADLINE)
        spool.open.set()
        spool.wait(lambda: sum(d["count"] for d in spool.of("files.changed")) == 10_001)
    assert spool.of("sensor.lost") == []
    assert all(len(data["paths"]) <= 2 for data in spool.of("files.changed"))


def test_a_session_that_is_over_when_the_set_closes_is_still_named() -> None:
    table: list[dict[str, Any] | None] = [{"user": "alice"}]
    spool = Spool()
    with watching(
        lambda sink: change(sink, process=BY_BASH), spool, lambda _: table.pop() if table else None
    ):
        spool.wait(lambda: bool(spool.events))
    (data,) = spool.of("files.changed")
    assert data["writer"] == {
        "kind": "session",
        "session": {"user": "alice"},
        "exe": "/usr/bin/bash",
        "pid": 7,
        "uid": 0,
        "action": None,
        "unit": None,
        "role": None,
        "via": None,
    }
    assert data["confidence"] == "exact"


def test_an_audit_session_that_is_not_known_is_laid_to_its_executable() -> None:
    spool = Spool()
    with watching(lambda sink: change(sink, process=BY_BASH), spool):
        spool.wait(lambda: bool(spool.events))
    (data,) = spool.of("files.changed")
    assert (data["writer"]["kind"], data["writer"]["exe"]) == ("executable", "/usr/bin/bash")


def test_losses_of_one_kind_are_said_together_with_their_count() -> None:
    spool = Spool()
    spool.open.clear()

    def script(sink: FileSink) -> None:
        sink.lost("queue_overflow", "all", {})
        assert spool.asked.wait(DEADLINE)
        for _ in range(5):
            sink.lost("queue_overflow", "all", {"reader": "slow"})
        spool.open.set()

    with watching(script, spool):
        spool.wait(lambda: sum(loss["detail"]["count"] for loss in spool.of("sensor.lost")) == 6)
    assert len(spool.events) == 2
    assert len({key for _, _, key in spool.events}) == 2


def test_what_is_under_way_at_the_end_is_handed_on() -> None:
    spool = Spool()
    sent = threading.Event()

    def script(sink: FileSink) -> None:
        change(sink)
        sent.set()

    with watching(script, spool):
        assert sent.wait(DEADLINE)
    assert [data["count"] for data in spool.of("files.changed")] == [1]


def test_between_two_settings_the_watch_says_that_it_was_off() -> None:
    spool, stop, started = Spool(), threading.Event(), threading.Event()
    service = FileService(
        FilesSettings(watch=("/etc",)),
        lambda settings: FileWatch(
            settings,
            spool,
            lambda _: None,
            lambda _: None,
            SystemClock(),
            lambda: Scripted(lambda _: started.set()),
        ),
    )
    thread = threading.Thread(target=service.run, args=(stop,))
    thread.start()
    assert started.wait(DEADLINE)
    service.reconfigure(FilesSettings(watch=("/opt",)))
    spool.wait(lambda: bool(spool.events))
    stop.set()
    service.end()
    thread.join(DEADLINE)
    kind, data, _ = spool.events[0]
    assert (kind, data["cause"], "/etc" in data["scope"]) == ("sensor.lost", "settings_changed", True)


class Noting(Unguarded):
    """Notes what was renamed."""

    def __init__(self) -> None:
        self.renamed: list[bytes] = []

    def moved(self, paths: Sequence[bytes]) -> None:
        self.renamed += paths


def test_what_was_renamed_is_handed_on_once_it_is_on_record() -> None:
    def script(sink: FileSink) -> None:
        for path, what in ((b"/nowhere/d", "renamed"), (b"/nowhere/a", "modified")):
            sink.changed(TracedChange(path=path, what=what, at=time.monotonic(), process=None))

    spool, guard = Spool(), Noting()
    with watching(script, spool, guard=guard):
        spool.wait(lambda: bool(spool.of("files.changed")))
    assert guard.renamed == [b"/nowhere/d"]
