"""The store of befores: what it holds, its bound, and what becomes of it when it is damaged or killed."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hostseal.befores.store import NAME, BeforeStore, Missing

WIDE = 1 << 20


def noise(seed: int, size: int) -> bytes:
    """Return what does not compress."""
    return random.Random(seed).randbytes(size)


def test_what_was_kept_is_there_again_also_for_another_process(tmp_path: Path) -> None:
    store = BeforeStore(tmp_path / "befores", WIDE)
    store.keep(b"/etc/a", b"one\n", b"stamp")
    store.keep(b"/etc/\xff", b"one\n", b"other")
    store.close()
    store = BeforeStore(tmp_path / "befores", WIDE)
    assert (store.before(b"/etc/a"), store.stamp(b"/etc/a")) == (b"one\n", b"stamp")
    assert store.before(b"/etc/\xff") == b"one\n"
    assert (store.held().paths, store.held().contents, store.held().note) == (2, 1, None)
    assert (store.before(b"/etc/b"), store.stamp(b"/etc/b")) == (Missing.UNSEEN, None)


def test_it_is_root_s_alone_even_where_the_directory_was_not(tmp_path: Path) -> None:
    (tmp_path / "befores").mkdir(mode=0o755)
    BeforeStore(tmp_path / "befores", WIDE).keep(b"/a", b"x", b"")
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "befores").iterdir()}
    assert (tmp_path / "befores").stat().st_mode & 0o777 == 0o700
    assert modes[NAME] == 0o600


def test_a_new_content_takes_the_place_of_the_old(tmp_path: Path) -> None:
    store = BeforeStore(tmp_path, WIDE)
    store.keep(b"/a", noise(1, 4000), b"1")
    full = store.held().bytes
    store.keep(b"/a", b"short", b"2")
    assert (store.before(b"/a"), store.held().contents) == (b"short", 1)
    assert store.held().bytes < full
    store.keep(b"/a", None, b"3")
    assert (store.before(b"/a"), store.stamp(b"/a"), store.held().contents) == (Missing.UNKEPT, b"3", 0)


def test_the_least_used_goes_first_and_is_counted(tmp_path: Path) -> None:
    store = BeforeStore(tmp_path, 12_000)
    for number in range(3):
        store.keep(b"/%d" % number, noise(number, 3000), b"")
    assert store.before(b"/0") == noise(0, 3000)
    store.keep(b"/3", noise(3, 3000), b"")
    assert store.before(b"/1") is Missing.UNKEPT
    assert [store.before(b"/%d" % number) for number in (0, 2, 3)] == [noise(n, 3000) for n in (0, 2, 3)]
    assert (store.held().thrown_out, store.held().bytes <= 12_000) == (1, True)


def test_what_is_larger_than_the_whole_store_throws_nothing_else_into_disorder(tmp_path: Path) -> None:
    store = BeforeStore(tmp_path, 2_000)
    store.keep(b"/a", noise(1, 30_000), b"")
    assert store.before(b"/a") is Missing.UNKEPT
    store.keep(b"/b", b"small", b"")
    assert store.before(b"/b") == b"small"


def test_a_directory_is_forgotten_with_all_below_and_nothing_beside(tmp_path: Path) -> None:
    store = BeforeStore(tmp_path, WIDE)
    for path in (b"/d", b"/d/a", b"/d/a/b", b"/d-not", b"/d0", b"/dd"):
        store.keep(path, path, b"")
    store.forget(b"/d")
    assert sorted(store.paths()) == [b"/d-not", b"/d0", b"/dd"]
    assert store.held().contents == 3


def test_a_damaged_entry_is_thrown_away_and_told(tmp_path: Path) -> None:
    store = BeforeStore(tmp_path, WIDE)
    store.keep(b"/a", b"true\n", b"")
    store.keep(b"/b", b"other\n", b"")
    store.close()
    with sqlite3.connect(tmp_path / NAME) as db:
        db.execute(
            "UPDATE contents SET body = ? WHERE body = ?",
            (zlib.compress(b"false"), zlib.compress(b"true\n", 6)),
        )
    db.close()
    store = BeforeStore(tmp_path, WIDE)
    assert store.before(b"/a") is Missing.UNKEPT
    assert store.before(b"/b") == b"other\n"
    assert (store.held().damaged, store.note) == (1, "a damaged entry was thrown away")
    store.keep(b"/a", b"true\n", b"")
    assert store.before(b"/a") == b"true\n"


@pytest.mark.parametrize(
    "content", [b"no database at all" * 100, b"SQLite format 3\0" + bytes(4096)], ids=["text", "zeros"]
)
def test_a_damaged_file_is_made_anew_and_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    store = BeforeStore(tmp_path, WIDE)
    assert "damaged" in (store.note or "")
    store.keep(b"/a", b"x", b"")
    assert store.before(b"/a") == b"x"


def test_a_store_of_another_version_is_made_anew(tmp_path: Path) -> None:
    BeforeStore(tmp_path, WIDE).close()
    with sqlite3.connect(tmp_path / NAME) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    assert "another version" in (BeforeStore(tmp_path, WIDE).note or "")


def test_a_store_that_fails_is_a_note_and_no_exception(tmp_path: Path) -> None:
    store = BeforeStore(tmp_path, WIDE)
    store.keep(b"/a", b"x", b"")
    with sqlite3.connect(tmp_path / NAME) as db:
        db.execute("DROP TABLE contents")
    db.close()
    assert store.before(b"/a") is Missing.UNKEPT
    store.keep(b"/b", b"y", b"")
    assert "no such table" in (store.note or "")


KILLED = """
import os, sys
from pathlib import Path
from hostseal.befores.store import BeforeStore
store = BeforeStore(Path(sys.argv[1]), 200_000)
for number in range(1_000_000):
    store.keep(b"/%d" % (number % 40), os.urandom(3000), b"")
    if number == 60:
        print("going", flush=True)
"""


def test_a_kill_while_it_writes_leaves_a_whole_store(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED, tmp_path], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"going\n"
        os.kill(writer.pid, signal.SIGKILL)
    store = BeforeStore(tmp_path, 200_000)
    assert store.note is None
    kept = [store.before(path) for path in store.paths()]
    assert len(kept) == 40
    assert all(isinstance(content, bytes) and len(content) == 3000 for content in kept)


class Against(RuleBasedStateMachine):
    """The store against a dictionary: whatever is done, it returns what was kept last, or says that it has it not."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.store = BeforeStore(Path(self.folder.name), 6_000)
        self.model: dict[bytes, bytes | None] = {}

    paths = st.sampled_from([b"/a", b"/a/b", b"/a/c", b"/d", b"/\xff"])

    @rule(path=paths, size=st.one_of(st.none(), st.integers(0, 3000)), seed=st.integers(0, 3))
    def keep(self, path: bytes, size: int | None, seed: int) -> None:
        content = None if size is None else noise(seed, size)
        self.store.keep(path, content, b"%d" % seed)
        self.model[path] = content

    @rule(path=paths)
    def forget(self, path: bytes) -> None:
        self.store.forget(path)
        self.model = {
            one: value for one, value in self.model.items() if one != path and not one.startswith(path + b"/")
        }

    @rule()
    def again(self) -> None:
        self.store.close()
        self.store = BeforeStore(Path(self.folder.name), 6_000)

    @invariant()
    def holds(self) -> None:
        for path in (b"/a", b"/a/b", b"/a/c", b"/d", b"/\xff"):
            found = self.store.before(path)
            if isinstance(found, bytes):
                assert found == self.model[path]
            elif found is Missing.UNSEEN:
                assert path not in self.model
            else:
                assert path in self.model
        held = self.store.held()
        assert (held.bytes <= 6_000, held.damaged, held.note) == (True, 0, None)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


TestAgainst = Against.TestCase
TestAgainst.settings = settings(derandomize=True, max_examples=25, stateful_step_count=20, deadline=None)
