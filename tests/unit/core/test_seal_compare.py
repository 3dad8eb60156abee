"""Comparing a tree with its seal: each kind of change is found, named, and nothing else is."""

import os
from collections.abc import Iterable
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hostseal.core.seal import Entry, Kind, Personal, rank, text
from hostseal.core.seal_compare import Change, Difference, Own, between, differences
from hostseal.core.seal_format import Item, Listing

BOUNDED = settings(derandomize=True, deadline=None)
DIRECTORY = Entry(path="/etc", kind=Kind.DIRECTORY, mode="0755", uid=0, gid=0)
FILE = Entry(path="/etc/f", kind=Kind.FILE, mode="0644", uid=0, gid=0, sha256="aa")
LINK = Entry(path="/etc/l", kind=Kind.LINK, mode="0777", uid=0, gid=0, target="f")
ID = Entry(path="/etc/machine-id", kind=Kind.FILE, mode="0444", uid=0, gid=0, sha256="e3")
NULL = Entry(path="/etc/null", kind=Kind.CHARACTER, mode="0666", uid=0, gid=0, target="1:3")
TREE = (DIRECTORY, FILE, LINK, ID, NULL)
OWN = Own(
    (
        Personal(glob="/etc/machine-id", reason="made at the first boot"),
        Personal(glob="/etc/ssh/ssh_host_*", reason="the host's ssh keys"),
        Personal(glob="/home/*/.ssh", reason="keys of people", owner="any"),
    )
)


def compare(found: Iterable[Entry]) -> tuple[Difference, ...]:
    sealed, now = ({entry.path: entry for entry in entries} for entries in (TREE, found))
    paths = sorted({*sealed, *now})
    return tuple(
        one for path in paths for one in differences(sealed.get(path), now.get(path), OWN.find(path.encode()))
    )


def changed(entry: Entry, **fields: object) -> tuple[Entry, ...]:
    return tuple(replace(one, **fields) if one.path == entry.path else one for one in TREE)  # type: ignore[arg-type]


def difference(path: str, change: Change, sealed: str = "", found: str = "") -> Difference:
    return Difference(path=path, change=change, sealed=sealed, found=found)


@settings(BOUNDED)
@given(st.permutations(TREE))
def test_the_tree_itself_does_not_differ_in_whatever_order(found: list[Entry]) -> None:
    assert compare(found) == ()


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (changed(FILE, sha256="bb"), difference("/etc/f", Change.CONTENT, "aa", "bb")),
        (changed(FILE, mode="0645"), difference("/etc/f", Change.MODE, "0644", "0645")),
        (changed(FILE, mode="4644"), difference("/etc/f", Change.MODE, "0644", "4644")),
        (changed(FILE, uid=7), difference("/etc/f", Change.OWNER, "0:0", "7:0")),
        (changed(DIRECTORY, gid=7), difference("/etc", Change.OWNER, "0:0", "0:7")),
        (changed(LINK, target="g"), difference("/etc/l", Change.TARGET, "f", "g")),
        (changed(LINK, kind=Kind.FILE, target=""), difference("/etc/l", Change.KIND, "link", "file")),
        (changed(NULL, target="1:5"), difference("/etc/null", Change.TARGET, "1:3", "1:5")),
        (
            changed(NULL, kind=Kind.BLOCK),
            difference("/etc/null", Change.KIND, "character_device", "block_device"),
        ),
        (
            changed(FILE, xattrs={"user.b": "2", "security.capability": "%01"}),
            difference("/etc/f", Change.XATTRS, "-", "security.capability=%01 user.b=2"),
        ),
        ((DIRECTORY, LINK, NULL, ID), difference("/etc/f", Change.MISSING, "file")),
        ((*TREE, replace(FILE, path="/etc/n")), difference("/etc/n", Change.ADDED, "", "file")),
        (changed(ID, mode="0644"), difference("/etc/machine-id", Change.MODE, "0444", "0644")),
        (changed(ID, uid=7), difference("/etc/machine-id", Change.OWNER, "0:0", "7:0")),
        ((DIRECTORY, FILE, LINK, NULL), difference("/etc/machine-id", Change.MISSING, "file")),
    ],
)
def test_each_change_is_named(found: tuple[Entry, ...], expected: Difference) -> None:
    assert compare(found) == (expected,)


def test_several_changes_of_one_path_are_all_named() -> None:
    found = changed(FILE, mode="0600", uid=1, sha256="bb")
    assert [one.change for one in compare(found)] == [Change.OWNER, Change.MODE, Change.CONTENT]


@pytest.mark.parametrize(
    "entry",
    [
        replace(ID, sha256="anything"),
        replace(FILE, path="/etc/ssh/ssh_host_ed25519_key", mode="0600"),
        replace(DIRECTORY, path="/home/alice/.ssh", mode="0700", uid=2001, gid=2001),
        replace(FILE, path="/home/alice/.ssh/authorized_keys", mode="0600", uid=2001, gid=2001),
    ],
)
def test_what_is_a_hosts_own_is_no_difference(entry: Entry) -> None:
    rest = tuple(one for one in TREE if one.path != entry.path)
    assert compare((*rest, entry)) == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"uid": 7},
        {"mode": "0622"},
        {"mode": "4600"},
        {"kind": Kind.LINK, "target": "/tmp/x"},
        {"kind": Kind.FIFO},
        {"kind": Kind.CHARACTER, "target": "1:3"},
        {"xattrs": {"security.capability": "%01"}},
        {"xattrs": {"system.posix_acl_access": "%02"}},
    ],
)
def test_a_path_of_the_hosts_own_that_others_may_write_or_that_is_no_plain_file_is_unsafe(
    fields: dict[str, object],
) -> None:
    key = replace(replace(FILE, path="/etc/ssh/ssh_host_x", mode="0600"), **fields)  # type: ignore[arg-type]
    (found,) = compare((*TREE, key))
    assert (found.path, found.change) == ("/etc/ssh/ssh_host_x", Change.UNSAFE)


@settings(BOUNDED)
@given(st.binary(min_size=1, max_size=12).filter(lambda raw: b"\0" not in raw and b"/" not in raw))
def test_a_name_of_any_bytes_that_came_is_found(name: bytes) -> None:
    entry = replace(FILE, path=text(b"/etc/d-" + name))
    assert differences(None, entry, None) == [difference(entry.path, Change.ADDED, "", "file")]


def test_sizes_and_packages_are_told_and_not_compared() -> None:
    assert compare(changed(FILE, size=7, package="p")) == ()


def test_a_path_that_neither_has_does_not_differ() -> None:
    assert differences(None, None, None) == []


NAMES = st.lists(st.sampled_from([b"a", b"b", b"a.b", b"\xff", b"-"]), min_size=1, max_size=4)
TREES = st.dictionaries(
    NAMES.map(lambda names: b"/" + b"/".join(names)), st.sampled_from([b"a" * 32, b"b" * 32]), max_size=12
)


def listings(tree: dict[bytes, bytes], parts: int) -> list[Listing]:
    found = []
    for folder, group in groupby(sorted(tree, key=rank), key=os.path.dirname):
        items = [Item(os.path.basename(path), "f", 0o644, 0, 0, 1, tree[path], {}) for path in group]
        found += [Listing(folder, tuple(items[i : i + parts]), ()) for i in range(0, len(items), parts)]
    return found


@settings(BOUNDED)
@given(TREES, TREES, st.integers(1, 3))
def test_two_manifests_streamed_side_by_side_differ_in_what_their_paths_do(
    old: dict[bytes, bytes], new: dict[bytes, bytes], parts: int
) -> None:
    was, now = (
        {one.path: one for listing in listings(tree, 99) for one in listing.entries()} for tree in (old, new)
    )
    wanted = [
        one
        for path in sorted({*old, *new}, key=rank)
        for one in differences(was.get(text(path)), now.get(text(path)), None)
    ]
    assert list(between(listings(old, parts), listings(new, 2))) == wanted
