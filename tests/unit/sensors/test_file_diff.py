"""The diffs of change sets: real files, the real store, the real process that masks."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hostseal.config.files import DiffSettings
from hostseal.core.change_set import PathChange, What
from hostseal.core.text_diff import Bounds
from hostseal.sensors import file_diff
from hostseal.sensors.diff_child import PROCESSOR_SECONDS, Question
from hostseal.sensors.diff_maker import DiffMaker, LateError
from hostseal.sensors.file_diff import Diffs

SECONDS = 30.0


class Site:
    """A directory whose files are shown, and its diffs, with the thread that fills the store."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.etc = folder / "etc"
        self.etc.mkdir(exist_ok=True)
        self.said: list[str] = []
        self.diffs = Diffs(
            DiffSettings(paths=(f"{self.etc}/*",), **settings),
            folder / "befores",
            lambda name, **_: self.said.append(name),
        )
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.diffs.run, args=(self.stop,))

    def begin(self) -> "Site":
        self.thread.start()
        self.wait(lambda: self.diffs.status()["complete"])
        return self

    def wait(self, look: Any) -> None:
        deadline = time.monotonic() + SECONDS
        while not look():
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def end(self) -> None:
        self.stop.set()
        self.diffs.end()
        if self.thread.ident is not None:
            self.thread.join()
        self.diffs.close()

    def path(self, name: str) -> bytes:
        return os.fsencode(self.etc / name)

    def write(self, name: str, content: bytes) -> None:
        (self.etc / name).write_bytes(content)

    def of(self, *names: str, what: What = What.MODIFIED) -> dict[str, Any]:
        found = self.diffs.of([PathChange(self.path(name), (what,)) for name in names])
        return {os.path.basename(path).decode(): diff for path, diff in found.items()}


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine makes no test fail; those of lateness set their own."""
    monkeypatch.setattr(file_diff, "PATH_SECONDS", SECONDS)
    monkeypatch.setattr(file_diff, "SET_SECONDS", 2 * SECONDS)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    one = Site(tmp_path)
    one.write("a.conf", b"user = app\npassword = old-secret-1\n")
    yield one.begin()
    one.end()


def test_a_change_is_shown_without_its_secret_and_the_after_is_the_next_before(site: Site) -> None:
    site.write("a.conf", b"user = app\npassword = new-secret-2\n")
    shown = {
        "a.conf": {
            "text": "--- before\n+++ after\n@@ -1,2 +1,2 @@\n user = app\n-password = <masked 1>\n+password = <masked 2>",
            "masked": 2,
            "cut": False,
        }
    }
    assert site.of("a.conf") == shown
    assert site.of("a.conf") == shown, "an event that was not stored is made again, and says the same"
    site.diffs.kept()
    assert site.of("a.conf") == {}
    site.write("a.conf", b"user = root\npassword = new-secret-2\n")
    assert site.of("a.conf")["a.conf"]["text"].splitlines()[3:] == [
        "-user = app", "+user = root", " password = <masked 1>",
    ]  # fmt: skip


def test_the_store_outlives_the_agent(tmp_path: Path) -> None:
    first = Site(tmp_path)
    first.write("a", b"one\n")
    first.begin().end()
    second = Site(tmp_path).begin()
    try:
        second.write("a", b"two\n")
        assert second.of("a")["a"]["text"].endswith("-one\n+two")
    finally:
        second.end()


def test_a_new_file_a_removed_one_and_one_that_was_put_in_its_place(site: Site) -> None:
    site.write("new", b"here\n")
    site.write("a.conf.tmp", b"user = other\n")
    os.rename(site.etc / "a.conf.tmp", site.etc / "a.conf")
    found = site.of("new", "a.conf", "a.conf.tmp", what=What.CREATED)
    assert found["new"]["text"] == "--- /dev/null\n+++ after\n@@ -0,0 +1 @@\n+here"
    assert found["a.conf"]["text"].splitlines()[3:] == [
        "-user = app",
        "-password = <masked 1>",
        "+user = other",
    ]
    assert set(found) == {"new", "a.conf"}
    site.diffs.kept()
    (site.etc / "new").unlink()
    assert (
        site.of("new", what=What.DELETED)["new"]["text"] == "--- before\n+++ /dev/null\n@@ -1 +0,0 @@\n-here"
    )
    site.diffs.kept()
    assert site.of("new", what=What.DELETED) == {}


def test_what_has_no_known_before_is_not_called_new(site: Site) -> None:
    site.write("unseen", b"here for long\n")
    assert site.of("unseen", what=What.MODIFIED) == {}
    site.diffs.kept()
    site.write("unseen", b"changed\n")
    assert site.of("unseen")["unseen"]["text"].endswith("-here for long\n+changed")


def test_what_is_no_text_excluded_or_too_large_has_no_diff(site: Site) -> None:
    site.write("binary", b"\0\1")
    site.write("large", b"x" * 70_000)
    site.write("site.key", b"secret\n")
    (site.etc / "link").symlink_to("a.conf")
    assert site.of("binary", "large", "site.key", "link", what=What.CREATED) == {}
    site.diffs.kept()
    site.write("large", b"small\n")
    assert site.of("large") == {}, "its before is not known"
    assert os.fsencode("site.key") not in b"".join(site.diffs._store.paths())  # type: ignore[union-attr]


def test_a_directory_that_was_moved_in_is_read(site: Site, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "b.conf").write_bytes(b"b\n")
    os.rename(tmp_path / "outside", site.etc / "inside")
    assert site.of("inside", what=What.RENAMED) == {}
    site.wait(lambda: site.path("inside/b.conf") in site.diffs._store.paths())  # type: ignore[union-attr]
    site.write("inside/b.conf", b"c\n")
    found = site.diffs.of([PathChange(site.path("inside/b.conf"), (What.MODIFIED,))])
    assert [diff["text"].splitlines()[3:] for diff in found.values()] == [["-b", "+c"]]


def test_one_set_is_bounded_and_what_is_beyond_is_said_to_be_cut(site: Site) -> None:
    names = [f"f{number}" for number in range(12)]
    for name in names:
        site.write(name, b"".join(b"line %d of it\n" % number for number in range(1000)))
    found = site.of(*names, what=What.CREATED)
    assert set(found) == set(names)
    assert sum(len(diff["text"].encode()) for diff in found.values()) <= file_diff.SET_BYTES
    assert found["f0"]["text"].startswith("--- /dev/null\n+++ after\n@@ -0,0 +1,1000 @@\n+line 0 of it\n")
    assert found["f11"] == {"text": "", "masked": 0, "cut": True}


def test_a_masking_that_is_late_shows_nothing_and_the_next_one_is_made(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.write("a.conf", b"password = new-secret-2\n")
    site.of("a.conf")
    child = site.diffs._maker.pid
    assert child is not None
    os.kill(child, signal.SIGSTOP)
    monkeypatch.setattr(file_diff, "PATH_SECONDS", 0.2)
    assert site.of("a.conf") == {"a.conf": {"text": "", "masked": 0, "cut": True}}
    assert (site.diffs.status()["withheld"], site.said) == (1, ["diff.withheld"])
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    monkeypatch.setattr(file_diff, "PATH_SECONDS", SECONDS)
    assert site.of("a.conf")["a.conf"]["masked"] == 2


def test_masking_can_be_switched_off_and_excludes_taken_up_while_it_runs(site: Site) -> None:
    site.diffs.reconfigure(DiffSettings(paths=(f"{site.etc}/*",), mask=False))
    site.write("a.conf", b"user = app\npassword = new-secret-2\n")
    assert "+password = new-secret-2" in site.of("a.conf")["a.conf"]["text"]
    site.diffs.reconfigure(DiffSettings(paths=(f"{site.etc}/*",), exclude=("*/a.conf",)))
    assert site.of("a.conf") == {}
    site.wait(lambda: site.diffs._store.paths() == [])  # type: ignore[union-attr]


def test_nothing_is_shown_before_the_store_is_there_or_where_there_can_be_none(tmp_path: Path) -> None:
    (tmp_path / "befores").write_bytes(b"in the way")
    one = Site(tmp_path)
    assert one.of("a") == {}
    one.thread.start()
    one.wait(lambda: one.diffs.status()["note"])
    assert one.said == ["befores.unusable"]
    assert one.of("a") == {}
    one.end()


def test_the_process_is_ended_when_it_has_rested() -> None:
    with DiffMaker(rest_seconds=0.05) as maker:
        maker.ask(Question(b"/a", b"a\n", b"b\n", mask=True, bounds=Bounds()), SECONDS)
        deadline = time.monotonic() + SECONDS
        while maker.pid is not None:
            assert time.monotonic() < deadline
            time.sleep(0.005)


def test_a_process_that_was_killed_is_started_again() -> None:
    question = Question(b"/a", b"password=abcdefgh\n", b"b\n", mask=True, bounds=Bounds())
    with DiffMaker() as maker:
        first = maker.ask(question, SECONDS)
        assert maker.pid is not None
        os.kill(maker.pid, signal.SIGKILL)
        deadline = time.monotonic() + SECONDS
        while True:  # the death may be seen while asking: that answer is lost, the next one is not
            try:
                assert maker.ask(question, SECONDS) == first
                break
            except LateError:
                assert time.monotonic() < deadline


def test_a_text_that_is_too_hard_is_given_up_and_the_next_one_is_made(site: Site) -> None:
    site.write("hard", b"".join(b"cl_key%s%d\n" % (b" " * 98, number) for number in range(600)))
    site.write("easy", b"a\n")
    before = os.times()
    found = site.of("hard", "easy", what=What.CREATED)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    assert found["hard"] == {"text": "", "masked": 0, "cut": True}
    assert found["easy"]["text"].endswith("+a")
    assert used < 2 * PROCESSOR_SECONDS
