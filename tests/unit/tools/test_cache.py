"""The cache: complete or absent, named by content, safe from two shells."""

import threading
from pathlib import Path

import pytest

from frame.cache import cache_root, digest_of, filled, locked


def test_the_cache_is_where_the_user_says() -> None:
    assert cache_root({"XDG_CACHE_HOME": "/x", "HOME": "/h"}) == Path("/x/hostseal")
    assert cache_root({"HOME": "/h"}) == Path("/h/.cache/hostseal")
    assert cache_root({"XDG_CACHE_HOME": "relative", "HOME": "/h"}) == Path("/h/.cache/hostseal")


def test_the_digest_follows_contents_and_facts_not_places(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "pins").write_text("same")
    one, two = tmp_path / "one" / "pins", tmp_path / "two" / "pins"
    assert digest_of([one], "fact") == digest_of([two], "fact")
    two.write_text("other")
    assert digest_of([one], "fact") != digest_of([two], "fact")
    assert digest_of([one], "fact") != digest_of([one], "another")


def test_a_fill_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        filled(tmp_path / "made", fail)
    assert [entry.name for entry in tmp_path.iterdir()] == ["made.lock"]


def test_what_was_damaged_is_filled_again(tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        (folder / "file").write_text("good")

    made = filled(tmp_path / "made", fill)
    (made / "file").write_text("bad")
    assert (filled(tmp_path / "made", fill) / "file").read_text() == "good"
    (made / "extra").write_text("not ours")
    assert not (filled(tmp_path / "made", fill) / "extra").exists()


def test_two_at_once_fill_once(tmp_path: Path) -> None:
    fills: list[Path] = []
    inside, go_on = threading.Event(), threading.Event()

    def fill(folder: Path) -> None:
        fills.append(folder)
        inside.set()
        assert go_on.wait(timeout=10)
        (folder / "file").write_text("x")

    threads = [threading.Thread(target=filled, args=(tmp_path / "made", fill)) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert inside.wait(timeout=10)
    go_on.set()
    for thread in threads:
        thread.join(timeout=10)
    assert len(fills) == 1
    assert (tmp_path / "made" / "file").read_text() == "x"


def test_a_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), locked(tmp_path / "lock"):
        raise RuntimeError
    with locked(tmp_path / "lock"):
        pass
