"""The counts of each stage add up, whatever comes, however the spool takes it; and what was missed is asked for."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hostseal.clock import SystemClock
from hostseal.config.files import FilesSettings
from hostseal.core.attribution import Confidence, Writer
from hostseal.core.blind import Blind
from hostseal.core.change_set import PathChange
from hostseal.core.scan_plan import Cause
from hostseal.core.scopes import covers
from hostseal.core.verdict import Sealed, Verdict
from hostseal.errors import SensorDiedError, SpoolError
from hostseal.ports import FileSink, RawChange
from hostseal.scans.judge import Looked
from hostseal.scans.owed import Owed
from hostseal.sensors.file_losses import cause_of, scope_of
from hostseal.sensors.file_watch import FileWatch

DEADLINE = 20.0
PATHS = [b"/nowhere/%d/%d" % (folder, name) for folder in range(3) for name in range(4)]
Step = tuple[str, Any]
steps = st.lists(
    st.one_of(
        st.tuples(st.just("changes"), st.lists(st.sampled_from(PATHS), min_size=1, max_size=8)),
        st.tuples(st.just("loss"), st.sampled_from(["queue_overflow", "mounts_changed"])),
        st.tuples(st.just("refuse"), st.integers(min_value=1, max_value=2)),
        st.tuples(st.just("die"), st.none()),
    ),
    max_size=12,
)


class Scripted:
    """A backend that follows a script, and counts what it hands on as the real ones do."""

    name = "scripted"

    def __init__(self, script: list[Step], spool: "Spool", done: threading.Event) -> None:
        self._script, self._spool, self._done = script, spool, done
        self._handed_on = 0

    def run(self, sink: FileSink, stop: threading.Event) -> None:
        while self._script:
            kind, value = self._script.pop(0)
            if kind == "changes":
                self._handed_on += len(value)
                sink.changed_many(
                    [RawChange(path=path, what="modified", at=self._spool.at()) for path in value]
                )
            elif kind == "loss":
                sink.lost(value, "/nowhere", {})
            elif kind == "refuse":
                self._spool.refuse = value
            else:
                raise SensorDiedError("gone")
        self._done.set()
        stop.wait()

    def counts(self) -> dict[str, int]:
        return {"handed_on": self._handed_on}


class Spool:
    def __init__(self) -> None:
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self.refuse = 0
        self._at = 0.0

    def at(self) -> float:
        self._at += 0.01
        return self._at

    def __call__(self, event_type: str, data: Mapping[str, Any], *, sensor: str, key: str) -> str:
        if self.refuse:
            self.refuse -= 1
            raise SpoolError("disk full")
        self.events.append((event_type, data))
        return key


class Guard:
    """Finds every path broken, and takes down in what order it is told of what."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self.judged: list[bytes] = []
        self.owed: list[Owed] = []
        self.asked: list[bytes] = []

    def look(self, change: PathChange, writer: Writer, confidence: Confidence, budget: int) -> Looked:
        return Looked(kind=None, sha256=None, verdict=Verdict(seal=Sealed.BROKEN))

    def told(self, verdicts: Sequence[tuple[bytes, Verdict]]) -> None:
        kind, data = self._spool.events[-1]
        assert (kind, [path["path"] for path in data["paths"]]) == (
            "files.changed",
            [path.decode() for path, _ in verdicts],
        ), "told before it was on record"
        self.judged += [path for path, _ in verdicts]

    def moved(self, paths: Sequence[bytes]) -> None:
        assert paths == []

    def owe(self, loss: Owed, cause: Cause, scope: Iterable[bytes]) -> None:
        kind, data = self._spool.events[-1]
        assert (kind, data["cause"], data["rescanned"]) == ("sensor.lost", loss.cause, False)
        self.owed.append(loss)

    def rest(self, data: Mapping[str, Any], scope: Iterable[bytes], folders: frozenset[bytes] | None) -> None:
        assert data is self._spool.events[-1][1]
        self.asked += scope


def watched(script: list[Step]) -> tuple[dict[str, Any], Spool, Guard]:
    """Return the counts once the script is over and the watch has ended."""
    spool, done, stop = Spool(), threading.Event(), threading.Event()
    guard = Guard(spool)
    made = FilesSettings(watch=("/nowhere",), quiet_seconds=0.02, max_age_seconds=0.2, max_paths=3)
    watch = FileWatch(
        made,
        spool,
        lambda _: None,
        lambda _: None,
        SystemClock(),
        make=lambda: Scripted(script, spool, done),
        guard=guard,
    )
    thread = threading.Thread(target=watch.run, args=(stop,))
    thread.start()
    assert done.wait(DEADLINE)
    spool.refuse = 0
    stop.set()
    thread.join(DEADLINE)
    assert not thread.is_alive()
    return watch.status()["counts"], spool, guard


@settings(max_examples=25, deadline=None)
@given(steps)
def test_what_comes_in_is_what_went_out(script: list[Step]) -> None:
    script = [step for index, step in enumerate(script) if step[0] != "die" or index < 2]  # each is a pause
    seen = [path for kind, paths in script if kind == "changes" for path in paths]
    lost = sum(kind in {"loss", "die"} for kind, _ in script)
    counts, spool, guard = watched(list(script))
    sets = [data for kind, data in spool.events if kind == "files.changed"]
    named = [path["path"].encode() for data in sets for path in data["paths"]]
    assert counts["kernel"]["handed_on"] == counts["changes"] == len(seen)
    assert counts["waiting"] == 0
    assert counts["spooled"] == {"sets": len(sets), "changes": len(seen), "paths": len(named)}
    assert counts["coalesced"] + counts["unnamed"] == len(seen) - len(named)
    assert counts["losses"] == {"seen": lost, "spooled": lost, "waiting": 0}
    assert guard.judged == named
    assert sum(one.count for one in guard.owed) == lost
    assert covers(guard.asked, set(seen) - set(named)), "a path that found no room is scanned"
    assert (counts["unnamed"] > 0) == any(data["truncated"] for data in sets)


def test_a_blind_interval_is_a_loss_with_its_extent() -> None:
    spool, stop = Spool(), threading.Event()
    guard = Guard(spool)
    watch = FileWatch(
        FilesSettings(watch=("/nowhere",)),
        spool,
        lambda _: None,
        lambda _: None,
        SystemClock(),
        make=lambda: Scripted([], spool, threading.Event()),
        guard=guard,
    )
    watch.blind(Blind("suspended", 3600.0))
    stop.set()
    watch.run(stop)
    ((_, data),) = spool.events
    assert (data["cause"], data["scope"], data["rescanned"]) == ("suspended", "/nowhere", False)
    assert data["detail"] == {"seconds": 3600.0, "count": 1}
    assert data["since"][:13] != data["until"][:13]
    assert [(one.since, one.until) for one in guard.owed] == [(data["since"], data["until"])]


def test_a_loss_names_where_to_scan() -> None:
    assert scope_of("/etc") == (b"/etc",)
    assert scope_of("/etc/no such file/here") == (b"/etc",)
    assert scope_of("/etc, /usr") == (b"/",)
    assert scope_of("and others") == (b"/",)
    assert (cause_of("mounts_changed"), cause_of("queue_overflow")) == (Cause.MOUNT, Cause.LOSS)
