"""The seal's manifest: whole, signed, and the same bytes for the same tree; a damaged one is never believed."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hostseal.core.seal import Entry, Kind, Manifest, Personal, image_digest, read, sign, text
from hostseal.errors import SealError

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)


def file(path: bytes, *, sha256: str = "ab" * 32) -> Entry:
    return Entry(path=text(path), kind=Kind.FILE, mode="0644", uid=0, gid=0, sha256=sha256)


def manifest(*entries: Entry) -> Manifest:
    return Manifest(
        image="sha256:" + "1" * 64,
        sealed=("/etc", "/home/*/.ssh"),
        personal=(Personal(glob="/etc/machine-id", reason="made at the first boot"),),
        entries=tuple(sorted(entries, key=lambda entry: entry.raw_path)),
    )


SMALL = manifest(file(b"/etc/a"), file(b'/etc/b\xff\n"%41'), file(b"/etc/\xc3\xa9"))
SIGNED = sign(SMALL, KEY)
paths = (
    st.binary(min_size=1, max_size=30).filter(lambda raw: b"\0" not in raw).map(lambda raw: b"/etc/" + raw)
)


@given(st.lists(paths, unique=True, max_size=20))
def test_what_was_signed_is_what_is_read_whatever_bytes_the_paths_have(raw: list[bytes]) -> None:
    made = manifest(*map(file, raw))
    back = read(sign(made, KEY), KEY.public_key())
    assert back == made
    assert sorted(entry.raw_path for entry in back.entries) == sorted(raw)


@given(st.permutations([b"/etc/a", b"/etc/b", b"/etc/a/c", b"/etc/\xff"]))
def test_the_same_tree_gives_the_same_bytes_and_digest_in_whatever_order_it_was_walked(
    order: list[bytes],
) -> None:
    entries = tuple(map(file, order))
    sorted_ = tuple(map(file, sorted(order)))
    assert image_digest(entries) == image_digest(sorted_)
    assert sign(replace(SMALL, entries=entries), KEY) == sign(replace(SMALL, entries=sorted_), KEY)


@settings(max_examples=300)
@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
def test_one_byte_flipped_anywhere_is_refused(place: int, change: int) -> None:
    broken = bytearray(SIGNED)
    broken[place] ^= change
    with pytest.raises(SealError):
        read(bytes(broken), KEY.public_key())


@given(st.integers(0, len(SIGNED) - 1))
def test_a_manifest_cut_off_anywhere_is_refused(length: int) -> None:
    with pytest.raises(SealError):
        read(SIGNED[:length], KEY.public_key())


def test_lines_taken_out_put_in_or_moved_are_refused() -> None:
    header, a, b, c, signature = SIGNED.splitlines(keepends=True)
    for lines in ([header, a, b, signature], [header, a, a, b, c, signature], [header, b, a, c, signature]):
        with pytest.raises(SealError, match="was changed"):
            read(b"".join(lines), KEY.public_key())


def test_another_keys_manifest_is_refused() -> None:
    with pytest.raises(SealError, match="another key"):
        read(sign(SMALL, OTHER), KEY.public_key())


def test_a_manifest_without_signature_says_so() -> None:
    with pytest.raises(SealError, match="no signature at its end"):
        read(b"".join(SIGNED.splitlines(keepends=True)[:-1]), KEY.public_key())


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_version_is_named_before_anything_else(version: object) -> None:
    header, rest = SIGNED.split(b"\n", 1)
    other = json.dumps({**json.loads(header), "version": version}).encode()
    with pytest.raises(SealError, match=r"has version .*, this program reads 1"):
        read(other + b"\n" + rest, KEY.public_key())


@pytest.mark.parametrize(
    "raw", [b"", b"\n", b"{}\n", b"[]\n", b"\x7fELF", b'{"format":"other"}\n', b"null\n"]
)
def test_something_else_is_no_manifest(raw: bytes) -> None:
    with pytest.raises(SealError, match="not a seal's manifest"):
        read(raw, KEY.public_key())


@pytest.mark.parametrize(
    "entries",
    [
        (file(b"/etc/b"), file(b"/etc/a")),
        (replace(file(b"/etc/a"), mode="0600"), file(b"/etc/a")),
    ],
)
def test_the_digest_tells_trees_apart(entries: tuple[Entry, ...]) -> None:
    assert image_digest(entries[:1]) != image_digest(entries[1:])


def test_keys_rotate_a_manifest_signed_anew_is_believed_with_the_new_key_alone() -> None:
    anew = sign(SMALL, OTHER)
    assert read(anew, OTHER.public_key()) == SMALL
    with pytest.raises(SealError):
        read(anew, KEY.public_key())
