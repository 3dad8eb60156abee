"""The seal's manifest: whole, signed, and the same bytes for the same tree; a damaged one is never believed."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hostseal.core import seal_format as form
from hostseal.core import seal_signature
from hostseal.core.seal import Header, Personal, rank
from hostseal.core.seal_format import Item, image_digest
from hostseal.errors import SealError
from hostseal.seal.reading import Reader
from hostseal.seal.writing import Writer

BOUNDED = settings(derandomize=True, deadline=None)
SAMPLES = Path(__file__).parents[2] / "samples/seal"
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
IMAGE, SEALED = "sha256:" + "1" * 64, ("/etc", "/home/*/.ssh")
PERSONAL = (Personal(glob="/etc/machine-id", reason="made at the first boot"),)
FILE = Item(b"f", "f", 0o644, 0, 0, 1, b"\xab" * 32, {})

Tree = dict[bytes, tuple[Item, str]]
"""What is at a path (the item's name does not matter), and whose it is."""


def listings(tree: Tree) -> Iterator[tuple[bytes, list[Item], list[str]]]:
    paths = sorted(tree, key=rank)
    for folder, group in groupby(paths, key=os.path.dirname):
        found = list(group)
        for start in range(0, len(found), form.LISTING_ITEMS):
            part = found[start : start + form.LISTING_ITEMS]
            items = [replace(tree[path][0], name=os.path.basename(path)) for path in part]
            yield folder, items, [tree[path][1] for path in part]


def write(place: Path, tree: Tree, key: Ed25519PrivateKey = KEY) -> bytes:
    with Writer(place) as writer:
        for listing in listings(tree):
            writer.add(*listing)
        writer.finish(IMAGE, SEALED, PERSONAL, key)
    return place.read_bytes()


def read(place: Path, key: Ed25519PrivateKey = KEY) -> Tree:
    found: Tree = {}
    with Reader.open(place, key.public_key()) as reader:
        assert (reader.header.image, reader.header.sealed, reader.header.personal) == (
            IMAGE,
            SEALED,
            PERSONAL,
        )
        assert reader.digest == f"sha256:{hashlib.sha256(place.read_bytes()).hexdigest()}"
        for listing in reader.listings():
            packages = listing.packages()
            for item in listing.items:
                found[os.path.join(listing.folder, item.name)] = item, next(packages, "")
        assert reader.header.entries == len(found)
    return found


def frames(raw: bytes) -> list[bytes]:
    """The magic line, and each frame."""
    found, place = [raw[: len(form.MAGIC)]], len(form.MAGIC)
    while place < len(raw):
        length = form.PREFIX_BYTES + int.from_bytes(raw[place + 1 : place + form.PREFIX_BYTES], "big")
        found.append(raw[place : place + length])
        place += length
    return found


def refused(place: Path, raw: bytes) -> SealError:
    place.write_bytes(raw)
    with pytest.raises(SealError) as error, Reader.open(place, KEY.public_key()) as reader:
        list(reader.entries())
    return error.value


SMALL: Tree = {
    b"/etc": (replace(FILE, kind="d", content=b"", size=0), ""),
    b"/etc/a": (FILE, "base-files"),
    b'/etc/b\xff\n"%41': (replace(FILE, xattrs={"security.capability": b"\x01\0"}), "base-files"),
    b"/etc/\xc3\xa9": (replace(FILE, kind="l", content=b"\xff", size=0), ""),
    b"/etc/d": (replace(FILE, kind="d", content=b"", size=0), ""),
    b"/etc/d/null": (replace(FILE, kind="c", content=b"1:3", size=0), ""),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("manifests") / "m"


@pytest.fixture(scope="module")
def signed(place: Path) -> bytes:
    return write(place, SMALL)


names = (
    st.binary(min_size=1, max_size=12)
    .map(lambda raw: raw.replace(b"\0", b"0").replace(b"/", b"|"))
    .filter(lambda name: name not in {b".", b".."})
)
paths = st.lists(names, min_size=1, max_size=4).map(lambda some: b"/etc/" + b"/".join(some))
items = st.builds(
    Item,
    st.just(b""),
    st.sampled_from("fdlpscb"),
    st.integers(0, 0o7777),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**63 - 1),
    st.binary(max_size=40),
    st.dictionaries(st.text(max_size=10), st.binary(max_size=20), max_size=2),
)
trees = st.dictionaries(paths, st.tuples(items, st.sampled_from(["", "a", "libc6"])), max_size=20)


@settings(BOUNDED, max_examples=150)
@given(trees)
def test_what_was_signed_is_what_is_read_whatever_it_is(place: Path, tree: Tree) -> None:
    write(place, tree)
    wanted = {
        path: (replace(item, name=os.path.basename(path)), package) for path, (item, package) in tree.items()
    }
    found = read(place)
    assert found == wanted
    assert list(found) == sorted(wanted, key=rank)


def test_a_folder_of_many_names_is_more_than_one_listing(place: Path) -> None:
    tree: Tree = {b"/etc/%05d" % number: (FILE, "p" if number % 3 else "") for number in range(1000)}
    raw = write(place, tree)
    assert len(read(place)) == 1000
    assert len(frames(raw)) == 1 + 1 + 4 + 1


@settings(BOUNDED)
@given(st.permutations([b"/etc/a", b"/etc/b", b"/etc/a/c", b"/etc/\xff", b"/etc/a.d/x"]))
def test_the_same_tree_has_the_same_digest_in_whatever_order_it_was_walked(order: list[bytes]) -> None:
    def items(some: Iterable[bytes]) -> list[tuple[bytes, Item]]:
        return [(os.path.dirname(path), replace(FILE, name=os.path.basename(path))) for path in some]

    assert image_digest(items(order)) == image_digest(items(sorted(order)))


@pytest.mark.parametrize(
    "other",
    [
        (b"/etc", replace(FILE, name=b"b")),
        (b"/usr", replace(FILE, name=b"a")),
        (b"/etc", replace(FILE, name=b"a", mode=0o600)),
        (b"/etc", replace(FILE, name=b"a", uid=1)),
        (b"/etc", replace(FILE, name=b"a", xattrs={"user.x": b""})),
        (b"/etc", replace(FILE, name=b"a", content=b"\xac" * 32)),
    ],
)
def test_the_digest_tells_trees_apart(other: tuple[bytes, Item]) -> None:
    assert image_digest([other]) != image_digest([(b"/etc", replace(FILE, name=b"a"))])


def test_the_digest_does_not_depend_on_where_a_folder_is_cut() -> None:
    many = [replace(FILE, name=b"%04d" % number) for number in range(40)]
    whole, cut = form.ImageDigest(), form.ImageDigest()
    whole.add(b"/etc", form.encode_items(many))
    for start, end in ((0, 1), (1, 17), (17, 17), (17, 40)):
        cut.add(b"/etc", form.encode_items(many[start:end]))
    assert whole.value() == cut.value() == image_digest((b"/etc", item) for item in many)


@settings(BOUNDED, max_examples=300)
@given(data=st.data())
def test_one_byte_changed_anywhere_is_refused(place: Path, signed: bytes, data: st.DataObject) -> None:
    broken = bytearray(signed)
    broken[data.draw(st.integers(0, len(signed) - 1))] ^= data.draw(st.integers(1, 255))
    refused(place, bytes(broken))


def test_a_manifest_cut_off_anywhere_is_refused_and_says_so(place: Path, signed: bytes) -> None:
    for length in range(len(signed)):
        assert refused(place, signed[:length]).cause == "cut", length


def test_a_manifest_that_goes_on_after_its_signature_is_refused(place: Path, signed: bytes) -> None:
    refused(place, signed + b"\n")
    refused(place, signed + signed)


def test_parts_taken_out_put_in_or_moved_are_refused(place: Path, signed: bytes) -> None:
    magic, header, top, etc, below, signature = frames(signed)
    for parts in (
        [magic, header, top, etc, signature],
        [magic, header, top, etc, etc, below, signature],
        [magic, header, etc, top, below, signature],
        [magic, top, header, etc, below, signature],
        [magic, top, etc, below, signature],
        [magic, header, header, top, etc, below, signature],
    ):
        assert refused(place, b"".join(parts)).cause in {"signature", "unreadable"}


def resigned(*parts: bytes, key: Ed25519PrivateKey = KEY) -> bytes:
    body = b"".join(parts)
    return body + seal_signature.signature_frame(hashlib.sha256(body).digest(), key)


def test_what_the_key_signed_must_be_in_order_and_whole_too(place: Path, signed: bytes) -> None:
    magic, header, top, etc, below, _ = frames(signed)
    assert "not in order" in refused(place, resigned(magic, header, etc, top, below)).message
    assert "not in order" in refused(place, resigned(magic, header, top, etc, etc, below)).message
    assert "names 6 entries and holds 1" in refused(place, resigned(magic, header, top)).message
    bad = [replace(FILE, name=name) for name in (b"b", b"a")]
    for items in (
        bad,
        [bad[0], bad[0]],
        *([replace(FILE, name=name)] for name in (b"", b".", b"..", b"a/b")),
    ):
        raw = resigned(magic, header, form.listing_frame(b"/etc", items, [""] * len(items)))
        assert "not in order" in refused(place, raw).message
    assert (
        "no absolute path"
        in refused(place, resigned(magic, header, form.listing_frame(b"e", [], []))).message
    )
    assert "does not know" in refused(place, resigned(magic, header, form.frame(b"X", b""))).message


def test_another_keys_manifest_is_refused_and_the_key_is_named(place: Path) -> None:
    raw = write(place, SMALL, OTHER)
    error = refused(place, raw)
    assert error.cause == "unknown_key"
    assert seal_signature.key_id(OTHER.public_key()).hex() in error.message


def test_a_stranger_who_names_our_key_is_refused(place: Path, signed: bytes) -> None:
    *parts, _ = frames(signed)
    theirs = seal_signature.signature_frame(hashlib.sha256(b"".join(parts)).digest(), OTHER)
    ours = form.frame(
        form.SIGNATURE, seal_signature.key_id(KEY.public_key()) + theirs[form.PREFIX_BYTES + 32 :]
    )
    assert refused(place, b"".join(parts) + ours).cause == "signature"


@pytest.mark.parametrize(
    ("raw", "version"),
    [
        (b"hostseal seal 3\nH\0\0\0\0", "3"),
        (b"hostseal seal 10\n", "10"),
        (b"hostseal seal \n", ""),
        ((SAMPLES / "version-1").read_bytes(), "1"),
    ],
)
def test_another_version_is_named_before_anything_else(place: Path, raw: bytes, version: str) -> None:
    error = refused(place, raw)
    assert error.message == f"the manifest has version {version}, this program reads 2"
    assert error.cause == "version"


@pytest.mark.parametrize("raw", [b"\n", b"{}\n", b"[]\n", b"\x7fELF", b'{"format":"other"}\n', b"null\n"])
def test_something_else_is_no_manifest(place: Path, raw: bytes) -> None:
    assert "not a seal's manifest" in refused(place, raw).message


def test_a_manifest_that_is_not_there_or_no_file_says_so(tmp_path: Path) -> None:
    for path, cause in ((tmp_path / "none", "missing"), (tmp_path, "unreadable")):
        with pytest.raises(SealError) as error:
            Reader.open(path, KEY.public_key())
        assert (error.value.cause, error.value.hint) == (cause, str(path))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SealError, match="not a regular file"):
        Reader.open(tmp_path / "pipe", KEY.public_key())


def test_a_manifest_that_changes_while_it_is_read_is_refused_before_its_end(
    place: Path, signed: bytes
) -> None:
    place.write_bytes(signed)
    with Reader.open(place, KEY.public_key()) as reader:
        with place.open("r+b") as file:
            file.seek(signed.index(b"\xab" * 32))
            file.write(b"\xac")
        with pytest.raises(SealError, match="changed while it was read"):
            list(reader.entries())


def test_keys_rotate_a_manifest_signed_anew_is_believed_with_the_new_key_alone(place: Path) -> None:
    raw = write(place, SMALL, OTHER)
    assert len(read(place, OTHER)) == len(SMALL)
    refused(place, raw)


@settings(BOUNDED, max_examples=300)
@given(st.binary(max_size=200), st.sampled_from([b"", form.MAGIC, form.MAGIC + b"H\0\0\0\x05"]))
def test_bytes_from_anywhere_are_refused_with_a_reason(place: Path, raw: bytes, start: bytes) -> None:
    assert refused(place, start + raw).message


@settings(BOUNDED, max_examples=400)
@given(st.lists(st.tuples(st.sampled_from([b"D", b"H", b"S", b"\0"]), st.binary(max_size=60)), max_size=6))
def test_frames_of_anything_that_the_key_signed_are_refused_or_read_and_nothing_else(
    place: Path, some: list[tuple[bytes, bytes]]
) -> None:
    header = form.header_frame(Header(image=IMAGE, sealed=SEALED, personal=PERSONAL, entries=0))
    place.write_bytes(resigned(form.MAGIC, header, *(form.frame(kind, payload) for kind, payload in some)))
    try:
        with Reader.open(place, KEY.public_key()) as reader:
            assert list(reader.entries()) == []
    except SealError as error:
        assert error.cause in {"unreadable", "signature", "cut", "unknown_key"}  # noqa: PT017 - either may be


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("refused-*")), ids=lambda path: path.name)
def test_what_was_once_found_to_be_hard_is_refused_still(place: Path, sample: Path) -> None:
    assert refused(place, sample.read_bytes()).message


def test_a_manifest_of_this_version_stays_readable() -> None:
    with Reader.open(SAMPLES / "version-2", KEY.public_key()) as reader:
        assert len(list(reader.entries())) == reader.header.entries == 6
