"""What a tree may hold that makes a walk go wrong: each is recorded, refused or said, and none is opened, followed or missed."""

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostseal.core.seal import Kind, text
from hostseal.core.seal_compare import Change
from hostseal.errors import SealError
from hostseal.seal import look
from hostseal.seal.folders import Folders
from unit.seal.sealed_tree import SealedTree

needs_root = pytest.mark.skipif(
    os.geteuid() != 0 and "CI" not in os.environ, reason="mounts, devices and attributes need root"
)


@pytest.fixture
def tree(tmp_path: Path) -> SealedTree:
    return SealedTree(tmp_path)


@pytest.fixture
def mounted(tree: SealedTree) -> Iterator[SealedTree]:
    """The tree on a tmpfs of its own."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", tree.root], check=True)
    try:
        (tree.root / "etc").mkdir()
        yield tree
    finally:
        subprocess.run(["umount", "--recursive", tree.root], check=True)


def test_pipes_and_sockets_are_recorded_and_never_opened(tree: SealedTree) -> None:
    os.mkfifo(tree.root / "etc/pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        here = os.getcwd()
        os.chdir(tree.root / "etc")
        try:
            bound.bind("socket")
        finally:
            os.chdir(here)
        # A reader that opens the pipe would let this writer go on.
        opened = threading.Event()

        def write() -> None:
            os.close(os.open(tree.root / "etc/pipe", os.O_WRONLY))
            opened.set()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            tree.seal()
            assert tree.differences() == []
            assert look.entry(b"/etc/pipe", tree.raw + b"/etc/pipe").kind is Kind.FIFO
            assert not opened.is_set()
        finally:
            os.close(os.open(tree.root / "etc/pipe", os.O_RDONLY))
            writer.join()
    kinds = {path: entry.kind for path, entry in tree.entries().items()}
    assert kinds == {"/etc": Kind.DIRECTORY, "/etc/pipe": Kind.FIFO, "/etc/socket": Kind.SOCKET}


@needs_root
def test_devices_are_recorded_by_their_numbers_and_never_opened(tree: SealedTree) -> None:
    os.mknod(tree.root / "etc/tape", 0o020660, os.makedev(9, 250))
    os.mknod(tree.root / "etc/disk", 0o060660, os.makedev(259, 251))
    tree.seal()
    found = {path: (entry.kind, entry.target) for path, entry in tree.entries().items()}
    assert found["/etc/tape"] == (Kind.CHARACTER, "9:250")
    assert found["/etc/disk"] == (Kind.BLOCK, "259:251")
    (tree.root / "etc/tape").unlink()
    os.mknod(tree.root / "etc/tape", 0o020660, os.makedev(1, 1))
    assert [(one.path, one.change, one.sealed, one.found) for one in tree.differences()] == [
        ("/etc/tape", Change.TARGET, "9:250", "1:1")
    ]


def test_names_that_are_no_text_are_kept_byte_for_byte(tree: SealedTree) -> None:
    names = [b"\xff\xfe", b"new\nline", b"%41", b" ", b"\x1b[31m", "é".encode(), b"\xc3"]
    for name in names:
        with open(tree.raw + b"/etc/" + name, "wb") as file:
            file.write(name)
    tree.seal()
    assert {entry.raw_path for entry in tree.entries().values()} == {
        b"/etc",
        *(b"/etc/" + name for name in names),
    }
    os.unlink(tree.raw + b"/etc/" + names[0])
    assert tree.changes() == [(text(b"/etc/\xff\xfe"), Change.MISSING)]


def test_loops_of_links_are_links(tree: SealedTree) -> None:
    (tree.root / "etc/self").symlink_to("self")
    (tree.root / "etc/up").symlink_to("..")
    (tree.root / "etc/a").symlink_to("b")
    (tree.root / "etc/b").symlink_to("a")
    tree.seal()
    assert {path: entry.target for path, entry in tree.entries().items() if entry.kind is Kind.LINK} == {
        "/etc/self": "self",
        "/etc/up": "..",
        "/etc/a": "b",
        "/etc/b": "a",
    }
    assert tree.differences() == []


def test_paths_longer_than_the_kernel_takes_at_once_are_sealed_and_compared(tree: SealedTree) -> None:
    name = b"n" * 250
    os.mkdir(tree.raw + b"/etc/deep")
    folder = os.open(tree.raw + b"/etc/deep", os.O_RDONLY)
    for _ in range(20):
        os.mkdir(name, dir_fd=folder)
        below = os.open(name, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    os.close(os.open(b"last", os.O_WRONLY | os.O_CREAT, dir_fd=folder))
    tree.seal()
    longest = b"/etc/deep/" + b"/".join([name] * 20) + b"/last"
    assert len(longest) > 4096
    assert text(longest) in tree.entries()
    assert tree.differences() == []
    os.setxattr(f"/proc/self/fd/{folder}/last", b"user.x", b"1")
    os.close(os.open(b"more", os.O_WRONLY | os.O_CREAT, dir_fd=folder))
    assert tree.changes() == [
        (text(longest), Change.XATTRS),
        (text(os.path.dirname(longest) + b"/more"), Change.ADDED),
    ]
    os.close(folder)


def test_a_file_that_vanishes_between_its_name_and_its_content_is_not_there(tree: SealedTree) -> None:
    tree.write("etc/a")
    tree.write("etc/b")
    tree.seal()

    class Vanishing(Folders):
        def names(self, folder: bytes) -> list[tuple[bytes, bool]]:
            found = super().names(folder)
            if folder == b"/etc":
                (tree.root / "etc/a").unlink(missing_ok=True)
            return found

    from hostseal.seal import walk

    with Vanishing(tree.raw) as folders:
        found = [walk.looked(folders, part) for part in walk.Walk(folders)]
    assert [[item.name for item in items] for items, _ in found] == [[b"etc"], [b"b"]]
    assert all(not unreadable for _, unreadable in found)
    assert tree.changes() == [("/etc/a", Change.MISSING)]


def test_a_file_that_does_not_hold_still_is_unreadable_and_one_that_does_at_last_is_read(
    tree: SealedTree,
) -> None:
    place = tree.write("etc/a", "0")
    changes = 0

    def change(_: int) -> None:
        nonlocal changes
        if changes:
            changes -= 1
            place.write_text(place.read_text() + "x")

    folder = os.open(tree.root / "etc", os.O_PATH)
    changes = 1
    item, status = look.item(folder, b"a", spent=change)
    assert (item.size, status.st_size) == (2, 2)
    changes = 100
    with pytest.raises(OSError, match="changes while it is read"):
        look.item(folder, b"a", spent=change)
    os.close(folder)


def test_a_path_that_becomes_something_else_meanwhile_is_what_it_became(
    tree: SealedTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tree.write("etc/a")
    outside = tree.write("outside", "secret")
    real = os.stat
    folder = os.open(tree.root / "etc", os.O_PATH)

    def raced(make: object) -> object:
        def stat(*arguments: object, **options: object) -> os.stat_result:
            status = real(*arguments, **options)  # type: ignore[arg-type]
            monkeypatch.setattr(look.os, "stat", real)  # type: ignore[attr-defined]
            place.unlink()
            make()  # type: ignore[operator]
            return status

        return stat

    cases = {
        "l": lambda: place.symlink_to(outside),
        "p": lambda: os.mkfifo(place),
        "d": place.mkdir,
    }
    for letter, make in cases.items():
        monkeypatch.setattr(look.os, "stat", raced(make))  # type: ignore[attr-defined]
        item, _ = look.item(folder, b"a")
        assert item.kind == letter
        place.rmdir() if letter == "d" else place.unlink()
        place.write_text("x")
    os.close(folder)


def test_a_folder_that_becomes_a_link_is_not_followed(tree: SealedTree) -> None:
    tree.write("etc/d/sub/x", "1")
    tree.seal()
    (tree.root / "etc/d").rename(tree.root / "elsewhere")
    (tree.root / "etc/d").symlink_to("../elsewhere")
    assert tree.changes() == [
        ("/etc/d", Change.KIND),
        ("/etc/d/sub", Change.MISSING),
        ("/etc/d/sub/x", Change.MISSING),
    ]


def test_a_file_that_becomes_a_folder_is_told_with_all_in_it(tree: SealedTree) -> None:
    place = tree.write("etc/a")
    tree.seal()
    place.unlink()
    tree.write("etc/a/b/c")
    assert tree.changes() == [
        ("/etc/a", Change.KIND),
        ("/etc/a/b", Change.ADDED),
        ("/etc/a/b/c", Change.ADDED),
    ]


@needs_root
def test_a_file_that_nobody_may_change_is_read_like_any_other(tree: SealedTree) -> None:
    place = tree.write("etc/a")
    tree.seal()
    if subprocess.run(["chattr", "+i", place], check=False, capture_output=True).returncode:
        pytest.fail("the tests' temporary folder has no immutable files: give it another by --basetemp")
    try:
        assert tree.differences() == []
        tree.seal()
        assert tree.differences() == []
    finally:
        subprocess.run(["chattr", "-i", place], check=True)


@needs_root
def test_a_tree_that_is_mounted_read_only_is_compared(mounted: SealedTree) -> None:
    mounted.write("etc/a")
    mounted.seal()
    subprocess.run(["mount", "-o", "remount,ro", mounted.root], check=True)
    assert mounted.differences() == []
    assert mounted.quick()[2] == []


@needs_root
def test_what_is_mounted_within_a_sealed_tree_is_what_is_compared(mounted: SealedTree) -> None:
    mounted.write("etc/d/a")
    mounted.seal()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", mounted.root / "etc/d"], check=True)
    (mounted.root / "etc/d").chmod(0o755)
    mounted.write("etc/d/b")
    assert mounted.changes() == [("/etc/d/a", Change.MISSING), ("/etc/d/b", Change.ADDED)]


@needs_root
def test_attributes_are_compared_and_those_that_are_not_the_images_are_left_out(tree: SealedTree) -> None:
    for name in "abcde":
        tree.write(f"etc/{name}")
    os.setxattr(tree.root / "etc/a", "user.comment", b"\xff 1")
    tree.seal()
    assert tree.entries()["/etc/a"].xattrs == {"user.comment": "%FF 1"}
    os.setxattr(tree.root / "etc/a", "trusted.overlay.opaque", b"y")
    capability = bytes.fromhex("0100000200200000000000000000000000000000")
    os.setxattr(tree.root / "etc/b", "security.capability", capability)
    access = bytes.fromhex(
        "0200000001000600ffffffff0200040001000000040004 00ffffffff10000400ffffffff20000400ffffffff"
    )
    os.setxattr(tree.root / "etc/c", "system.posix_acl_access", access)
    os.setxattr(tree.root / "etc/d", "trusted.mine", b"1")
    os.removexattr(tree.root / "etc/a", "user.comment")
    os.setxattr(tree.root / "etc", "system.posix_acl_default", access)
    assert tree.changes() == [
        ("/etc", Change.XATTRS),
        ("/etc/a", Change.XATTRS),
        ("/etc/b", Change.XATTRS),
        ("/etc/c", Change.XATTRS),
        ("/etc/d", Change.XATTRS),
    ]
    found = {one.path: one.found for one in tree.differences()}
    assert found["/etc/d"] == "trusted.mine=1"
    assert found["/etc/b"].startswith("security.capability=%01%00%00%02")


def test_a_hard_link_into_a_sealed_tree_is_an_added_path_and_one_out_of_it_writes_through(
    tree: SealedTree,
) -> None:
    place = tree.write("etc/a")
    tree.seal()
    os.link(place, tree.root / "outside")
    assert tree.differences() == []
    (tree.root / "outside").write_text("y")
    os.link(tree.root / "outside", tree.root / "etc/b")
    assert tree.changes() == [("/etc/a", Change.CONTENT), ("/etc/b", Change.ADDED)]


def test_a_place_is_looked_at_as_the_manifest_would_have_it(tree: SealedTree) -> None:
    tree.write("etc/a", "12345").chmod(0o4711)
    tree.seal()
    assert look.entry(b"/etc/a", tree.raw + b"/etc/a") == tree.entries()["/etc/a"]
    assert look.entry(b"/etc", tree.raw + b"/etc/") == tree.entries()["/etc"]
    assert look.entry(b"/", b"/").path == "/"
    assert look.entry(b"/etc/a", tree.raw + b"/etc/a", limit=5).size == 5
    with pytest.raises(OSError, match="too large"):
        look.entry(b"/etc/a", tree.raw + b"/etc/a", limit=4)
    with pytest.raises(FileNotFoundError):
        look.entry(b"/etc/none", tree.raw + b"/etc/none")


def test_a_root_that_is_not_there_is_an_error(tree: SealedTree) -> None:
    tree.seal()
    shutil.rmtree(tree.root)
    with pytest.raises(SealError, match="cannot be compared"):
        tree.differences()
    with pytest.raises(SealError, match="cannot be sealed"):
        tree.seal()
