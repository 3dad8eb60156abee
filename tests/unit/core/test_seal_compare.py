"""Comparing a tree with its seal: each kind of change is found, named, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hostseal.core.seal import Entry, Kind, Manifest, Personal, text
from hostseal.core.seal_compare import Change, Difference, compare

DIRECTORY = Entry(path="/etc", kind=Kind.DIRECTORY, mode="0755", uid=0, gid=0)
FILE = Entry(path="/etc/f", kind=Kind.FILE, mode="0644", uid=0, gid=0, sha256="aa")
LINK = Entry(path="/etc/l", kind=Kind.LINK, mode="0777", uid=0, gid=0, target="f")
ID = Entry(path="/etc/machine-id", kind=Kind.FILE, mode="0444", uid=0, gid=0, sha256="e3")
TREE = (DIRECTORY, FILE, LINK, ID)
SEALED = Manifest(
    image="sha256:0",
    sealed=("/etc", "/home/*/.ssh"),
    personal=(
        Personal(glob="/etc/machine-id", reason="made at the first boot"),
        Personal(glob="/etc/ssh/ssh_host_*", reason="the host's ssh keys"),
        Personal(glob="/home/*/.ssh", reason="keys of people", owner="any"),
    ),
    entries=TREE,
)


def changed(entry: Entry, **fields: object) -> tuple[Entry, ...]:
    return tuple(replace(one, **fields) if one.path == entry.path else one for one in TREE)  # type: ignore[arg-type]


def difference(path: str, change: Change, sealed: str = "", found: str = "") -> Difference:
    return Difference(path=path, change=change, sealed=sealed, found=found)


@given(st.permutations(TREE))
def test_the_tree_itself_does_not_differ_in_whatever_order(found: list[Entry]) -> None:
    assert compare(SEALED, found) == ()


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
        ((DIRECTORY, LINK, ID), difference("/etc/f", Change.MISSING, "file")),
        ((*TREE, replace(FILE, path="/etc/n")), difference("/etc/n", Change.ADDED, "", "file")),
        (changed(ID, mode="0644"), difference("/etc/machine-id", Change.MODE, "0444", "0644")),
        (changed(ID, uid=7), difference("/etc/machine-id", Change.OWNER, "0:0", "7:0")),
        ((DIRECTORY, FILE, LINK), difference("/etc/machine-id", Change.MISSING, "file")),
    ],
)
def test_each_change_is_named(found: tuple[Entry, ...], expected: Difference) -> None:
    assert compare(SEALED, found) == (expected,)


def test_several_changes_of_one_path_are_all_named() -> None:
    found = changed(FILE, mode="0600", uid=1, sha256="bb")
    assert [one.change for one in compare(SEALED, found)] == [Change.OWNER, Change.MODE, Change.CONTENT]


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
    assert compare(SEALED, (*rest, entry)) == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"uid": 7},
        {"mode": "0622"},
        {"mode": "4600"},
        {"kind": Kind.LINK, "target": "/tmp/x"},
        {"kind": Kind.SPECIAL},
    ],
)
def test_a_path_of_the_hosts_own_that_others_may_write_or_that_is_no_plain_file_is_unsafe(
    fields: dict[str, object],
) -> None:
    key = replace(replace(FILE, path="/etc/ssh/ssh_host_x", mode="0600"), **fields)  # type: ignore[arg-type]
    (found,) = compare(SEALED, (*TREE, key))
    assert (found.path, found.change) == ("/etc/ssh/ssh_host_x", Change.UNSAFE)


def test_what_cannot_be_read_is_never_taken_for_intact() -> None:
    found = compare(SEALED, (DIRECTORY, LINK, ID), {"/etc/f": "Permission denied"})
    assert found == (difference("/etc/f", Change.UNREADABLE, "", "Permission denied"),)


@given(st.binary(min_size=1, max_size=12).filter(lambda raw: b"\0" not in raw and b"/" not in raw))
def test_a_name_of_any_bytes_that_came_is_found(name: bytes) -> None:
    path = text(b"/etc/d-" + name)
    assert compare(SEALED, (*TREE, replace(FILE, path=path))) == (difference(path, Change.ADDED, "", "file"),)
