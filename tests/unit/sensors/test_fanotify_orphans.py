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
