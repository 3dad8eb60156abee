"""Changes in directories that are gone get their names from the removal."""

from hostseal.sensors import fanotify_abi as abi
from hostseal.sensors.fanotify_abi import Record
from hostseal.sensors.fanotify_orphans import Orphans


def removed(directory: bytes, name: bytes, target: bytes) -> Record:
    return Record(abi.DELETE, 1, -1, directory, name, target)


def test_a_removed_tree_is_named_from_its_top_and_only_once() -> None:
    orphans = Orphans()
    assert not orphans.add(removed(b"inner", b"file", b"f"), None)
    assert not orphans.add(removed(b"outer", b"inner", b"inner"), None)
    assert {path for _, path, _, _ in orphans.below(b"outer", b"/etc/outer")} == {
        b"/etc/outer/inner",
        b"/etc/outer/inner/file",
    }
    assert list(orphans.below(b"outer", b"/etc/outer")) == []
    assert len(orphans) == 0


def test_beyond_the_limit_the_oldest_go_and_it_is_said() -> None:
    orphans = Orphans(limit=2)
    said = [orphans.add(removed(b"%d" % n, b"file", b""), None) for n in range(3)]
    assert said == [None, None, 1]
    assert len(orphans) == 2


def test_what_comes_after_the_removal_that_the_kernel_merged_with_the_making_is_named_too() -> None:
    orphans = Orphans()
    assert list(orphans.below(b"inner", b"/etc/inner")) == []
    assert orphans.named(b"inner") == b"/etc/inner"
    orphans.clear()
    assert orphans.named(b"inner") is None


def test_only_records_that_do_not_count_yet_are_counted_as_dropped() -> None:
    orphans = Orphans(limit=2)
    orphans.add(removed(b"one", b"a", b""), None, counted=True)
    orphans.add(removed(b"one", b"b", b""), None)
    assert orphans.waiting == 1
    assert orphans.add(removed(b"two", b"c", b""), None) == 1
    assert (orphans.waiting, orphans.clear(), orphans.waiting) == (1, 1, 0)
