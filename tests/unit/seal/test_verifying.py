"""A tree beside its manifest: the same answer however it is walked, and nothing is read twice that did not change."""

import os
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostseal.core.seal import rank
from hostseal.core.seal_compare import Change, Own, differences
from hostseal.core.seal_format import entry
from hostseal.core.trees import Trees
from hostseal.errors import SealError
from hostseal.seal import files, workers
from hostseal.seal.personal import PERSONAL
from hostseal.seal.reading import Reader
from hostseal.seal.verifying import Verification, verify
from hostseal.seal.walk import scan
from hostseal.seal.work import Setup
from unit.seal.sealed_tree import KEY, SealedTree

BOUNDED = settings(derandomize=True, deadline=None)
ADDED, CONTENT, MISSING, MODE = Change.ADDED, Change.CONTENT, Change.MISSING, Change.MODE


@pytest.fixture
def tree(tmp_path: Path) -> SealedTree:
    return SealedTree(tmp_path)


def old(tree: SealedTree) -> None:
    """Let the tree's times lie behind what a file system's clock could miss."""
    deadline = time.monotonic() + 20
    tree.quick()
    while tree.quick()[0]:
        assert time.monotonic() < deadline, "the times of the files never settle"
        time.sleep(0.1)


NAMES = ["a", "b", "a.b", "c\udcff", "-"]
WAYS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(lambda names: "etc/" + "/".join(names))
STEPS = st.lists(
    st.tuples(st.sampled_from(["write", "folder", "remove", "mode", "link", "pipe"]), WAYS), max_size=14
)


def do(root: Path, step: str, way: str) -> None:
    place = root / way
    try:
        if step == "remove":
            shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink()
        elif step == "folder":
            place.mkdir(parents=True, exist_ok=True)
        elif step == "mode":
            place.chmod(0o700)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            if step == "write" and place.exists() and not place.is_file():
                return  # a pipe: who writes to it waits for a reader
            if step == "write":
                place.write_text(place.read_text() + "x" if place.exists() else "")
            elif step == "link":
                place.symlink_to("a")
            else:
                os.mkfifo(place)
    except OSError:
        return  # not every step can be done on every tree


@settings(BOUNDED, max_examples=60)
@given(STEPS, STEPS)
def test_whatever_is_done_to_a_tree_it_differs_in_what_a_plain_comparison_finds(
    tmp_path_factory: pytest.TempPathFactory, before: list[tuple[str, str]], after: list[tuple[str, str]]
) -> None:
    tree = SealedTree(tmp_path_factory.mktemp("tree"))
    for step in before:
        do(tree.root, *step)
    tree.seal()
    trees = Trees(map(os.fsencode, files.SEALED))
    was = {one.raw_path: one for one in tree.entries().values()}
    for step in after:
        do(tree.root, *step)
    now = {one.raw_path: one for one in (entry(*pair) for pair in scan(tree.raw, trees).items)}
    own = Own(PERSONAL)
    wanted = {
        one for path in {*was, *now} for one in differences(was.get(path), now.get(path), own.find(path))
    }
    found = tree.differences()
    assert set(found) == wanted
    assert len(found) == len(wanted)
    shutil.rmtree(tree.top)


def many(tree: SealedTree, folders: int = 40, count: int = 80) -> None:
    for folder in range(folders):
        for number in range(count):
            tree.write(f"usr/{folder}/{number}", f"{folder} {number}")


def test_several_processes_say_what_one_says_and_write_the_same_manifest(tree: SealedTree) -> None:
    many(tree)
    tree.seal(jobs=1)
    alone = tree.manifest.read_bytes()
    tree.seal(jobs=3)
    assert tree.manifest.read_bytes() == alone
    for folder in range(0, 40, 3):
        tree.write(f"usr/{folder}/7", "changed")
        (tree.root / f"usr/{folder}/8").unlink()
        tree.write(f"usr/{folder}/new/sub/x")
    found = tree.differences(jobs=3)
    assert found == tree.differences(jobs=1)
    assert len(found) == 14 * 5
    places = [rank(one.path.encode()) for one in found if one.change in {CONTENT, MISSING}]
    assert places == sorted(places)


def test_a_worker_that_dies_is_an_error_and_never_nothing_differs(
    tree: SealedTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(tree)
    tree.seal()
    with Reader.open(tree.manifest, KEY.public_key()) as reader:
        monkeypatch.setattr(workers.sys, "executable", shutil.which("false"))  # type: ignore[attr-defined]
        with pytest.raises(SealError, match="worker process ended"):
            list(verify(reader, Verification(root=tree.root, jobs=2)))


def test_an_answer_that_is_given_up_leaves_no_worker_behind(tree: SealedTree) -> None:
    many(tree)
    setup = Setup(root=tree.raw)

    def children() -> set[str]:
        found = Path("/proc/self/task").glob("*/children")
        return {word for one in found for word in one.read_text().split()}

    before = children()
    with files._opened(tree.root) as folders:
        answers = workers.answers(setup, workers.LOOK, files._tasks(files.Walk(folders)), 2)
        next(answers)
        assert len(children() - before) == 2
        answers.close()  # type: ignore[attr-defined]
    assert children() == before


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_folder_of_many_listings_is_compared_name_by_name(tree: SealedTree, jobs: int) -> None:
    for number in range(0, 3000, 2):
        tree.write(f"etc/d/{number:05}")
    tree.seal()
    for number in (1, 511, 513, 2999):
        tree.write(f"etc/d/{number:05}")
    for number in (0, 510, 512, 2998):
        (tree.root / f"etc/d/{number:05}").unlink()
    tree.write("etc/d/zz")
    wanted = sorted(
        [*((f"/etc/d/{number:05}", ADDED) for number in (1, 511, 513, 2999)), ("/etc/d/zz", ADDED)]
        + [(f"/etc/d/{number:05}", MISSING) for number in (0, 510, 512, 2998)]
    )
    assert tree.changes(jobs=jobs) == wanted
    assert tree.changes(jobs=jobs, scope=(b"/etc/d/00510", b"/etc/d/00511")) == [
        ("/etc/d/00510", MISSING),
        ("/etc/d/00511", ADDED),
    ]


def test_an_unchanged_tree_is_not_read_again_and_a_changed_file_is(tree: SealedTree) -> None:
    for name in "abc":
        tree.write(f"etc/{name}", name)
    tree.seal()
    old(tree)
    assert tree.quick() == (0, 3, [])
    kept = os.stat(tree.root / "etc/a")
    tree.write("etc/a", "A")
    os.utime(tree.root / "etc/a", ns=(kept.st_atime_ns, kept.st_mtime_ns))
    assert tree.quick() == (1, 2, [("/etc/a", CONTENT)])


def test_what_differs_is_said_each_time_though_it_was_not_read_again(tree: SealedTree) -> None:
    tree.write("etc/a", "a")
    tree.seal()
    tree.write("etc/a", "b")
    os.setxattr(tree.root / "etc/a", "user.x", b"1")
    old(tree)
    assert tree.quick() == (0, 1, [("/etc/a", CONTENT), ("/etc/a", Change.XATTRS)])
    (tree.root / "etc/a").chmod(0o600)
    assert tree.quick()[2] == [("/etc/a", MODE), ("/etc/a", CONTENT), ("/etc/a", Change.XATTRS)]


def test_a_file_that_changed_just_now_is_read_again(tree: SealedTree) -> None:
    tree.write("etc/a")
    tree.seal()
    tree.quick()
    assert tree.quick()[:2] == (1, 0)


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: b"",
        lambda raw: raw[:-1],
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw + b"x",
        lambda raw: raw[:40] + bytes([raw[40] ^ 1]) + raw[41:],
        lambda raw: b"something else",
    ],
)
def test_a_damaged_cache_is_no_cache(tree: SealedTree, damage: object) -> None:
    tree.write("etc/a")
    tree.write("etc/b")
    tree.seal()
    old(tree)
    tree.cache.write_bytes(damage(tree.cache.read_bytes()))  # type: ignore[operator]
    assert tree.quick() == (2, 0, [])
    assert tree.quick() == (0, 2, [])


def test_a_cache_that_others_could_write_is_no_cache(tree: SealedTree) -> None:
    tree.write("etc/a")
    tree.seal()
    old(tree)
    assert tree.cache.stat().st_mode & 0o777 == 0o600
    tree.cache.chmod(0o666)
    assert tree.quick() == (1, 0, [])


def test_only_what_is_asked_for_is_looked_at(tree: SealedTree) -> None:
    for way in ("etc/a", "etc/b/c", "etc/b/d/e", "usr/x"):
        tree.write(way)
    tree.seal()
    for way in ("etc/a", "etc/b/c", "etc/b/d/e", "usr/x"):
        tree.write(way, "y")
    tree.write("etc/b/d/new/deep/f")
    tree.write("etc/bb")
    assert tree.changes(scope=(b"/etc/b",)) == [
        ("/etc/b/c", CONTENT),
        ("/etc/b/d/e", CONTENT),
        ("/etc/b/d/new", ADDED),
        ("/etc/b/d/new/deep", ADDED),
        ("/etc/b/d/new/deep/f", ADDED),
    ]
    assert tree.changes(scope=(b"/usr/x", b"/etc/b/d/new/deep")) == [
        ("/usr/x", CONTENT),
        ("/etc/b/d/new/deep", ADDED),
        ("/etc/b/d/new/deep/f", ADDED),
    ]
    assert tree.changes(scope=(b"/etc/none", b"/var/lib/x")) == []
    assert len(tree.changes(scope=(b"/",))) == len(tree.changes())


def test_a_comparison_of_a_part_leaves_the_cache_of_the_whole_alone(tree: SealedTree) -> None:
    tree.write("etc/a")
    tree.write("etc/b/c")
    tree.seal()
    old(tree)
    before = tree.cache.read_bytes()
    assert [batch.cached for batch in tree.batches(cache=tree.cache, scope=(b"/etc/b",))] == [1]
    assert tree.cache.read_bytes() == before


def test_what_comes_on_the_way_to_a_sealed_tree_is_found(tree: SealedTree) -> None:
    (tree.root / "home/alice/.ssh").mkdir(parents=True)
    (tree.root / "home/carol").mkdir(parents=True)
    tree.seal()
    for name in ("bob", "carol"):
        (tree.root / f"home/{name}/.ssh").mkdir(parents=True)
        tree.write(f"home/{name}/.ssh/authorized_keys").chmod(0o666)
    tree.write("boot/vmlinuz")
    assert set(tree.changes()) == {
        ("/home/bob/.ssh/authorized_keys", Change.UNSAFE),
        ("/home/carol/.ssh/authorized_keys", Change.UNSAFE),
        ("/boot", ADDED),
        ("/boot/vmlinuz", ADDED),
    }


def test_what_changed_last_is_looked_at_first_whatever_its_mtime_says(tree: SealedTree) -> None:
    for number in range(30):
        tree.write(f"etc/{number:02}", "x")
    tree.write("etc/d/gone")
    tree.seal()
    time.sleep(0.02)
    tree.write("etc/03", "y")
    time.sleep(0.02)
    tree.write("etc/11", "y")
    os.utime(tree.root / "etc/11", (1, 1))
    assert tree.newest(2) == [("/etc/11", CONTENT), ("/etc/03", CONTENT)]
    (tree.root / "etc/d/gone").unlink()
    assert tree.newest(1) == [("/etc/d/gone", MISSING)]


def test_a_folder_that_came_or_went_while_sealing_stops_it(
    tree: SealedTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.write("etc/d/x")
    look = files.workers.answers

    def slow(*arguments: object) -> object:
        tasks = list(arguments[2])  # type: ignore[call-overload]
        (tree.root / "etc/late").mkdir()
        shutil.rmtree(tree.root / "etc/d")
        return look(arguments[0], arguments[1], tasks, arguments[3])  # type: ignore[arg-type]

    monkeypatch.setattr(files.workers, "answers", slow)
    with pytest.raises(SealError, match="came or went"):
        tree.seal()
    assert not tree.manifest.exists()
