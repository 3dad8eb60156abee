"""What was told already: nothing is told twice, nothing forgotten over a restart."""

from pathlib import Path

import pytest

from hostseal.core.seal_compare import Change, Difference
from hostseal.seal.told import Found, How, Told


def difference(path: str, found: str = "x", change: Change = Change.CONTENT) -> Difference:
    return Difference(path=path, change=change, sealed="was", found=found)


A, B = difference("/etc/a"), difference("/etc/b")


def scanned(
    told: Told, *found: Difference, scope: tuple[bytes, ...] = (b"/",), complete: bool = True
) -> Found:
    told.begin()
    told.see(found)
    told.weigh(100)
    result = told.found(10)
    told.keep(scope, complete=complete)
    return result


def test_a_scan_tells_what_nobody_told_and_the_next_one_does_not(tmp_path: Path) -> None:
    told = Told(tmp_path)
    assert scanned(told, A, B) == Found(count=2, known=0, fresh=2, first=(A, B))
    told.close()
    told = Told(tmp_path)
    assert scanned(told, A, B) == Found(count=2, known=0, fresh=0, first=(A, B))
    assert told.count() == 2


def test_what_a_live_record_told_is_known_and_new_things_come_first(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.live([(b"/etc/a", How.LIVE, [A])])
    assert scanned(told, A, B) == Found(count=2, known=1, fresh=1, first=(B, A))


def test_the_same_path_with_another_content_is_new(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.live([(b"/etc/a", How.LIVE, [A])])
    other = difference("/etc/a", "y")
    assert scanned(told, other) == Found(count=1, known=0, fresh=1, first=(other,))


def test_what_is_by_design_is_no_difference(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.live([(b"/etc/a", How.BY_DESIGN, [A])])
    assert told.count() == 0
    assert scanned(told, A) == Found(count=0, known=0, fresh=0, first=())
    assert told.count() == 0


def test_what_was_put_back_while_somebody_looked_is_news_again_when_it_comes_back(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.live([(b"/etc/a", How.LIVE, [A])])
    told.live([(b"/etc/a", How.LIVE, [])])
    assert told.count() == 0
    assert scanned(told, A).fresh == 1


def test_what_a_complete_scan_did_not_find_in_its_scope_is_forgotten(tmp_path: Path) -> None:
    told = Told(tmp_path)
    other = difference("/usr/a")
    scanned(told, A, other)
    scanned(told, scope=(b"/etc",), complete=False)
    assert told.count() == 2, "it did not get to its end"
    scanned(told, scope=(b"/etc",))
    assert told.count() == 1
    scanned(told, scope=(b"/usr/a",))
    assert told.count() == 0


def test_what_is_under_a_directory_that_was_told_to_be_gone_was_told_with_it(tmp_path: Path) -> None:
    told = Told(tmp_path)
    folder = difference("/etc/d", "", Change.MISSING)
    told.live([(b"/etc/d", How.LIVE, [folder])])
    below = difference("/etc/d/sub/file", "", Change.MISSING)
    assert scanned(told, folder, below).known == 2
    assert scanned(told, folder, below, difference("/etc/dd", "", Change.MISSING)).fresh == 1


def test_a_second_look_takes_the_place_of_the_first(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.begin()
    told.see([A, B])
    assert told.weigh(100) == [b"/etc/a", b"/etc/b"]
    told.again(b"/etc/a", None, [])
    told.again(b"/etc/b", How.BY_DESIGN, [B])
    assert told.found(10) == Found(count=0, known=0, fresh=0, first=())


def test_a_path_that_is_no_utf8_keeps_its_bytes(tmp_path: Path) -> None:
    told = Told(tmp_path)
    odd = difference("/etc/%FFd")
    assert scanned(told, odd).first == (odd,)
    told.live([(b"/etc/\xffd", How.LIVE, [])])
    assert told.count() == 0


@pytest.mark.parametrize("damage", [b"not a database" * 1000, b""])
def test_a_damaged_file_is_begun_anew(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "told.sqlite").write_bytes(damage)
    told = Told(tmp_path)
    assert scanned(told, A).fresh == 1


def test_small_values_are_remembered(tmp_path: Path) -> None:
    Told(tmp_path).remember("image", "sha256:1")
    assert Told(tmp_path).recall("image") == "sha256:1"
    assert Told(tmp_path).recall("other") is None
