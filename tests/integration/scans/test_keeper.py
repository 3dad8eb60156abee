"""The keeper with a real manifest and real scans: what it finds, tells once, and never takes for intact."""

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace
from tests.integration.scans.sealed_tree import IMAGE, Running, SealedTree, Spool

from hostseal.core.attribution import Confidence, Writer, WriterKind
from hostseal.core.blind import Blind
from hostseal.core.change_set import PathChange, What
from hostseal.core.scan_plan import Cause
from hostseal.core.verdict import Sealed
from hostseal.scans.owed import Owed

ROOT = Writer(kind=WriterKind.EXECUTABLE, exe="/usr/bin/vi", uid=0)
LOSS = Owed(sensor="files.x", cause="queue_overflow", scope="all", since="1", until="2", detail={})


@pytest.fixture
def tree(tmp_path: Path) -> SealedTree:
    return SealedTree(tmp_path)


def intact(status: dict[str, Any]) -> bool:
    return status["state"] == "intact"


def scanned_again(running: Running, status: dict[str, Any]) -> dict[str, Any]:
    """Return how the last scan was, and ask for another."""
    running.keeper.ask(Cause.START, [b"/"])
    last: dict[str, Any] = status["scans"]["last"]
    return last


def names(tree: SealedTree, data: Any) -> set[tuple[str, str]]:
    return {(os.path.relpath(one["path"], tree.top), one["change"]) for one in data["differences"]}


def test_an_intact_host_says_so_as_of_a_time_and_is_not_hashed_again(tree: SealedTree) -> None:
    spool = Spool()
    with Running(tree.keeper(spool)) as running:
        first = running.until(intact)
        # What was written within the last two seconds is not trusted to be told by its times.
        running.until(lambda status: intact(status) and scanned_again(running, status)["hashed"] == 0)
        running.until(intact)
        running.keeper.demanded({"path": None})
        running.until(lambda status: intact(status) and status["scans"]["last"]["cause"] == "demand")
        assert running.keeper.status()["scans"]["last"]["hashed"] == 3, "who asks wants no answer from before"
    with Running(tree.keeper(spool)) as running:
        second = running.until(intact)
    assert (first["image"], first["entries"], first["scans"]["last"]["hashed"]) == (IMAGE, 4, 3)
    assert (second["scans"]["last"]["hashed"], second["scans"]["last"]["cached"]) == (0, 3)
    assert spool.events == []


def test_what_changed_meanwhile_is_told_once(tree: SealedTree) -> None:
    spool = Spool()
    (tree.top / "a").write_text("A")
    os.utime(tree.top / "a", (0, 0))
    (tree.top / "d/new").write_text("")
    with Running(tree.keeper(spool)):
        data = spool.wait("seal.broken")
    assert names(tree, data) == {("a", "content"), ("d/new", "added")}
    assert {**data, "differences": [], "seconds": 0} == {
        "cause": "start", "scope": ["/"], "differences": [], "count": 2, "known": 0, "truncated": False,
        "complete": True, "entries": 4, "seconds": 0, "image": IMAGE, "manifest": data["manifest"],
    }  # fmt: skip
    with Running(tree.keeper(spool)) as running:
        found = running.until(lambda status: status["as_of"] is not None)
    assert (found["state"], found["differences"], len(spool.events)) == ("broken", 2, 1)
    (tree.top / "b").unlink()
    with Running(tree.keeper(spool)):
        data = spool.wait("seal.broken", 2)
    assert names(tree, data) == {("a", "content"), ("d/new", "added"), ("b", "missing")}


def test_what_a_live_record_told_is_not_told_again_by_a_scan(tree: SealedTree) -> None:
    spool = Spool()
    path = os.fsencode(tree.top / "a")
    with Running(tree.keeper(spool)) as running:
        running.until(intact)
        (tree.top / "a").write_text("A")
        looked = running.keeper.look(PathChange(path, (What.MODIFIED,)), ROOT, Confidence.EXACT, 1 << 20)
        assert (looked.verdict.seal, looked.verdict.differs) == (Sealed.BROKEN, ["content"])
        running.keeper.told([(path, looked.verdict)])
        assert running.keeper.status()["state"] == "broken"
        (tree.top / "b").write_text("B")
        running.keeper.owe(LOSS, Cause.LOSS, [os.fsencode(tree.top)])
        data = spool.wait("seal.broken")
        assert (data["cause"], data["count"], data["known"]) == ("loss", 2, 1)
        assert data["differences"][0]["path"] == str(tree.top / "b"), "what is new comes first"
        assert spool.wait("sensor.lost")["detail"]["differences"] == 2
        running.keeper.owe(LOSS, Cause.LOSS, [os.fsencode(tree.top)])
        assert spool.wait("sensor.lost", 2)["rescanned"] is True
    assert len(spool.of("seal.broken")) == 1


def test_a_path_is_judged_by_the_manifest(tree: SealedTree) -> None:
    spool = Spool()
    (tree.top / "own").write_text("x")

    def judge(running: Running, name: str, budget: int = 1 << 20) -> Sealed:
        change = PathChange(os.fsencode(os.path.normpath(tree.top / name)), (What.MODIFIED,))
        return running.keeper.look(change, ROOT, Confidence.EXACT, budget).verdict.seal

    with Running(tree.keeper(spool)) as running:
        running.until(intact)
        assert judge(running, "a") is Sealed.TOUCHED
        assert judge(running, "a", budget=0) is Sealed.BROKEN, "what is not read is not intact"
        assert judge(running, "own") is Sealed.OWN
        assert judge(running, "../elsewhere") is Sealed.UNSEALED
        assert judge(running, "a/below/a/file") is Sealed.TOUCHED, "nothing is there, and nothing was"
        (tree.top / "d/c").unlink()
        (tree.top / "d").rmdir()
        (tree.top / "d").write_text("a file now")
        assert judge(running, "d/c") is Sealed.BROKEN


@pytest.mark.parametrize("cause", ["cut", "version", "signature", "missing", "other_image", "unknown_key"])
def test_a_manifest_that_cannot_be_believed_is_said_and_nothing_is_concluded(
    tree: SealedTree, cause: str
) -> None:
    spool = Spool()
    with Running(tree.keeper(spool)) as running:
        running.until(intact)
        good, public = tree.manifest.read_bytes(), Path(tree.settings.public_key).read_bytes()
        spoil(tree, cause)
        running.keeper.told([(os.fsencode(tree.manifest), running.keeper.look(
            PathChange(os.fsencode(tree.manifest), (What.MODIFIED,)), ROOT, Confidence.EXACT, 0).verdict)])  # fmt: skip
        data = spool.wait("seal.untrusted")
        assert (data["cause"], data["manifest"]) == (cause, str(tree.manifest))
        found = running.until(lambda status: status["state"] == "untrusted")
        assert (found["image"], found["as_of"]) == (None, None)
        assert found["why"].startswith(cause)
        running.keeper.owe(LOSS, Cause.LOSS, [b"/"])
    with Running(tree.keeper(spool)) as running:
        spool.wait("seal.untrusted", 2)
        running.keeper.owe(LOSS, Cause.LOSS, [b"/"])
        running.until(lambda status: status["state"] == "untrusted")
        tree.manifest.write_bytes(good)
        Path(tree.settings.public_key).write_bytes(public)
        running.keeper.doubt()
        running.until(intact)
    assert spool.of("seal.broken") == []


def spoil(tree: SealedTree, cause: str) -> None:
    raw = tree.manifest.read_bytes()
    match cause:
        case "cut":
            tree.manifest.write_bytes(raw[:-20])
        case "version":
            tree.manifest.write_bytes(b'{"format":"hostseal seal","version":1}\n')
        case "signature":
            tree.manifest.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
        case "missing":
            tree.manifest.unlink()
        case "other_image":
            tree.seal(image="sha256:" + "2" * 64)
        case "unknown_key":
            tree.seal(key=Ed25519PrivateKey.generate())


def test_a_host_that_never_had_a_manifest_is_told_so_and_owes_nothing(tree: SealedTree) -> None:
    spool = Spool()
    tree.manifest.unlink()
    with Running(tree.keeper(spool)) as running:
        running.keeper.owe(LOSS, Cause.START, [b"/"])
        found = running.until(
            lambda status: status["state"] == "none" and not status["scans"]["losses_waiting"]
        )
    assert found["why"] == f"there is no {tree.manifest}"
    assert found["scans"]["losses_refused"] == 1
    assert spool.events == []


def test_a_scan_that_is_killed_is_tried_again_and_one_that_always_is_is_given_up(tree: SealedTree) -> None:
    spool, stop = Spool(), threading.Event()
    keeper = tree.keeper(spool, settings=replace(tree.settings, attempts=2))

    def kill() -> None:
        while not stop.is_set():
            running = keeper.status()["scans"]["running"]
            if running is not None and running["pid"] is not None:
                with suppress(ProcessLookupError):
                    os.kill(running["pid"], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with Running(keeper) as running:
            keeper.owe(LOSS, Cause.START, [b"/"])
            lost = spool.wait("sensor.lost")
            assert (lost["sensor"], lost["cause"], lost["rescanned"]) == ("seal", "scan_given_up", False)
            assert (lost["detail"]["attempts"], lost["detail"]["losses"]) == (2, ["queue_overflow"])
            found = running.until(lambda status: bool(status["scans"]["given_up"]))
            assert (found["state"], keeper.trouble is not None) == ("unknown", True)
            stop.set()
            killer.join()
            keeper.ask(Cause.DEMAND, [b"/"])
            found = running.until(intact)
            assert found["scans"]["given_up"] == []
    finally:
        stop.set()
        killer.join()


def test_a_spool_that_refuses_holds_back_and_loses_nothing(tree: SealedTree) -> None:
    spool = Spool()
    spool.refuse = 2
    (tree.top / "a").write_text("A")
    with Running(tree.keeper(spool)) as running:
        running.keeper.owe(LOSS, Cause.START, [b"/"])
        spool.wait("sensor.lost")
    assert [kind for kind, _ in spool.events] == ["seal.broken", "sensor.lost"]


class Live:
    """Stands for the file watch: holds back until it is told."""

    def __init__(self) -> None:
        self.intervals: list[Blind] = []
        self.done = threading.Event()

    def handed_on(self, before: float) -> bool:
        return self.done.is_set()

    def blind(self, interval: Blind) -> None:
        self.intervals.append(interval)


def test_a_scan_waits_for_the_live_records_of_what_it_met(tree: SealedTree) -> None:
    """Else a person who was seen is not named, or what was on its way and gone again is held against the host."""
    spool, live = Spool(), Live()
    keeper = tree.keeper(spool)
    keeper.live = live
    (tree.top / "a").write_text("A")
    (tree.top / "passing").write_text("")
    with Running(keeper) as running:
        running.until(lambda status: status["scans"]["running"] is not None)
        running.until(lambda status: status["scans"]["running"]["pid"] is None)
        path = os.fsencode(tree.top / "a")
        looked = keeper.look(PathChange(path, (What.MODIFIED,)), ROOT, Confidence.EXACT, 1 << 20)
        keeper.told([(path, looked.verdict)])
        (tree.top / "passing").unlink()
        live.done.set()
        running.until(lambda status: status["as_of"] is not None)
    assert spool.events == []


def test_a_machine_that_slept_and_a_process_that_was_stopped_are_told_of(tree: SealedTree) -> None:
    """Suspend is simulated: a clock that counts it jumps ahead."""
    slept = [0.0]
    live = Live()
    live.done.set()
    keeper = tree.keeper(Spool(), boottime=lambda: time.monotonic() + slept[0])
    keeper.live = live
    with Running(keeper) as running:
        running.until(intact)
        slept[0] = 3600.0
        running.until(lambda _: bool(live.intervals))
    ((cause, seconds),) = [(one.cause, one.seconds) for one in live.intervals]
    assert cause == "suspended"
    assert seconds == pytest.approx(3600, abs=1)


def test_what_a_directory_lacks_that_was_put_in_anothers_place_is_found(tree: SealedTree) -> None:
    spool = Spool()
    place, aside = tree.top / "d", tree.top.parent / "aside"
    with Running(tree.keeper(spool)) as running:
        running.until(intact)
        place.rename(aside)
        place.mkdir(mode=aside.stat().st_mode & 0o7777)
        running.keeper.moved([os.fsencode(tree.top / "a"), os.fsencode(place)])
        data = spool.wait("seal.broken")
    assert (data["cause"], data["scope"], names(tree, data)) == ("loss", [str(place)], {("d/c", "missing")})


def test_files_that_are_held_mapped_for_writing_are_looked_at_though_their_times_tell_nothing(
    tree: SealedTree,
) -> None:
    spool = Spool()
    keeper = tree.keeper(spool, settings=replace(tree.settings, maps_seconds=0.5))
    keeper.maps = lambda: [os.fsencode(tree.top / "a"), b"/elsewhere"]
    with Running(keeper) as running:
        running.until(lambda status: status["as_of"] is not None)
        before = os.stat(tree.top / "a")
        (tree.top / "a").write_text("A")
        os.utime(tree.top / "a", ns=(before.st_atime_ns, before.st_mtime_ns))
        data = spool.wait("seal.broken")
    assert (data["cause"], data["scope"]) == ("maps", [str(tree.top / "a")])


def unnamed(writer: str) -> dict[str, Any]:
    """Return the data of a change set that had no room for all of its paths."""
    return {
        "writer": {"kind": "executable", "exe": writer}, "paths": [], "count": 900, "truncated": True,
        "confidence": "exact", "first": "1", "last": "2",
    }  # fmt: skip


def test_what_a_change_set_had_no_room_for_is_named_as_its_writers(tree: SealedTree) -> None:
    spool = Spool()
    d = os.fsencode(tree.top / "d")
    with Running(tree.keeper(spool)) as running:
        running.until(intact)
        (tree.top / "d/c").write_text("C")
        (tree.top / "d/new").write_text("")
        running.keeper.rest(unnamed("/usr/bin/dpkg"), [d], frozenset({d}))
        data = spool.wait("files.changed")
        running.until(lambda status: status["scans"]["last"]["cause"] == "loss")
        assert running.keeper.status()["scans"]["last"]["pace"] == "rest", "its writer may be at work still"
    assert (data["writer"], data["count"], data["truncated"]) == (
        unnamed("/usr/bin/dpkg")["writer"],
        2,
        False,
    )
    assert data["confidence"] == "inferred"
    assert [(Path(one["path"]).name, one["what"], one["seal"], one["differs"]) for one in data["paths"]] == [
        ("c", ["modified"], "broken", ["content"]),
        ("new", ["created"], "broken", ["added"]),
    ]
    assert spool.of("seal.broken") == []


def test_what_may_be_somebody_elses_is_nobodys(tree: SealedTree) -> None:
    """In another directory, in one that two writers had no room for, or while something was lost."""
    spool = Spool()
    top, d = os.fsencode(tree.top), os.fsencode(tree.top / "d")
    with Running(tree.keeper(spool)) as running:
        running.until(intact)
        (tree.top / "d/c").write_text("C")
        running.keeper.rest(unnamed("/usr/bin/dpkg"), [top], frozenset({top}))
        assert names(tree, spool.wait("seal.broken")) == {("d/c", "content")}
        (tree.top / "d/c").write_text("D")
        with running.keeper._lock:
            running.keeper.rest(unnamed("/usr/bin/dpkg"), [d], frozenset({d}))
            running.keeper.rest(unnamed("/usr/bin/vi"), [d], frozenset({d}))
        assert names(tree, spool.wait("seal.broken", 2)) == {("d/c", "content")}
        (tree.top / "d/c").write_text("E")
        with running.keeper._lock:
            running.keeper.rest(unnamed("/usr/bin/dpkg"), [d], frozenset({d}))
            running.keeper.owe(LOSS, Cause.LOSS, [d])
        assert names(tree, spool.wait("seal.broken", 3)) == {("d/c", "content")}
        (tree.top / "d/c").write_text("F")
        running.keeper.rest(unnamed("/usr/bin/dpkg"), [d], None)
        assert names(tree, spool.wait("seal.broken", 4)) == {("d/c", "content")}
    assert spool.of("files.changed") == []


def test_what_is_kept_on_disk_may_fail_and_nothing_is_taken_for_intact(tree: SealedTree) -> None:
    spool = Spool()
    change = PathChange(os.fsencode(tree.top / "a"), (What.MODIFIED,))
    with Running(tree.keeper(spool)) as running:
        running.until(intact)
        seal = running.keeper._judge.seal
        assert seal is not None
        seal.close()
        looked = running.keeper.look(change, ROOT, Confidence.EXACT, 1 << 20)
        assert (looked.verdict.seal, looked.verdict.differs) == (Sealed.BROKEN, ["unreadable"])
    running.keeper._told.close()
    running.keeper.told([(change.path, looked.verdict)])
    assert "is not noted" in (running.keeper.trouble or "")
