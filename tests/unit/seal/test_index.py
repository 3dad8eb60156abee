"""The seal asked path by path: the manifest's own words, believed first, and made anew only for another manifest."""

import os
import sqlite3
from pathlib import Path

import pytest

from hostseal import keys
from hostseal.core.seal_compare import differences
from hostseal.errors import SealError
from hostseal.seal import files, look
from hostseal.seal.index import SealIndex
from unit.seal.sealed_tree import SealedTree


class Indexed(SealedTree):
    def __init__(self, top: Path) -> None:
        super().__init__(top)
        self.key = keys.ensure_pair(top / "keys", "seal")
        self.folder = top / "state"
        self.folder.mkdir()

    def make(self) -> files.Made:
        return files.create(self.root, self.manifest, keys.private_key(self.key))

    def open(self) -> SealIndex:
        return SealIndex.open(self.folder, self.manifest, self.key.with_suffix(".pub"))

    def made(self) -> int:
        return (self.folder / "seal-index.sqlite").stat().st_ino


@pytest.fixture
def tree(tmp_path: Path) -> Indexed:
    made = Indexed(tmp_path)
    made.write("etc/a", "a").chmod(0o640)
    with open(made.raw + b"/etc/\xff", "wb"):
        pass
    made.write("etc/hostname", "image")
    return made


def test_it_says_what_the_manifest_says(tree: Indexed) -> None:
    made = tree.make()
    index = tree.open()
    assert (index.image, index.manifest, index.entries) == (made.image, made.manifest, made.entries)
    entry = index.entry(b"/etc/a")
    assert entry is not None
    assert (entry.path, entry.mode, entry.size) == ("/etc/a", "0640", 1)
    assert entry == look.entry(b"/etc/a", tree.raw + b"/etc/a")
    assert index.entry(b"/etc/\xff") == look.entry(b"/etc/\xff", tree.raw + b"/etc/\xff")
    assert index.entry(b"/etc/none") is None
    assert index.entry(b"/") is None
    assert [index.covers(path) for path in (b"/etc/none", b"/home/x/.ssh/y", b"/var/x", b"/")] == [
        *(True, True, False, False)
    ]
    own = index.own(b"/etc/hostname")
    assert own is not None
    assert own.reason == "the host's name"
    assert index.own(b"/etc/a") is None
    tree.write("etc/hostname", "web-1")
    now = look.entry(b"/etc/hostname", tree.raw + b"/etc/hostname")
    assert differences(index.entry(b"/etc/hostname"), now, own) == []
    index.close()


def test_it_is_made_once_for_a_manifest_and_anew_for_another(tree: Indexed) -> None:
    tree.make()
    tree.open().close()
    first = tree.made()
    tree.open().close()
    assert tree.made() == first
    tree.write("etc/b")
    tree.make()
    index = tree.open()
    assert index.entry(b"/etc/b") is not None
    index.close()
    assert tree.made() != first
    assert (tree.folder / "seal-index.sqlite").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "damage", [lambda raw: b"", lambda raw: b"no database", lambda raw: raw[: len(raw) // 2]]
)
def test_a_damaged_index_is_made_anew(tree: Indexed, damage: object) -> None:
    tree.make()
    tree.open().close()
    place = tree.folder / "seal-index.sqlite"
    place.write_bytes(damage(place.read_bytes()))  # type: ignore[operator]
    index = tree.open()
    assert index.entry(b"/etc/a") is not None
    index.close()


def test_an_index_of_another_form_is_made_anew(tree: Indexed) -> None:
    tree.make()
    tree.open().close()
    database = sqlite3.connect(tree.folder / "seal-index.sqlite")
    with database:
        database.execute("UPDATE about SET form = 1")
        database.execute("DELETE FROM entries")
    database.close()
    index = tree.open()
    assert index.entry(b"/etc/a") is not None
    index.close()


def test_a_manifest_that_cannot_be_believed_says_why_though_there_is_an_index(tree: Indexed) -> None:
    tree.make()
    tree.open().close()
    raw = tree.manifest.read_bytes()
    keys.ensure_pair(tree.top / "other", "seal")
    other = tree.top / "other/seal.pub"
    causes = {}
    for name, content in {
        "cut": raw[:-1],
        "signature": raw[:-1] + bytes([raw[-1] ^ 1]),
        "version": b"hostseal seal 7\n",
        "unreadable": b"something",
    }.items():
        tree.manifest.write_bytes(content)
        with pytest.raises(SealError) as error:
            tree.open()
        causes[name] = error.value.cause
    tree.manifest.unlink()
    with pytest.raises(SealError) as error:
        tree.open()
    causes["missing"] = error.value.cause
    tree.manifest.write_bytes(raw)
    for key in (other, tree.top / "none.pub"):
        with pytest.raises(SealError) as error:
            SealIndex.open(tree.folder, tree.manifest, key)
        causes["unknown_key"] = error.value.cause
        assert error.value.cause == "unknown_key"
    assert causes == {name: name for name in causes}


def test_it_takes_little_memory_however_long_the_manifest(tree: Indexed) -> None:
    """The index of 3,000 entries is read through a cache of 1 MB."""
    for number in range(30):
        folder = tree.root / f"usr/{number}"
        folder.mkdir(parents=True)
        for name in range(100):
            os.close(os.open(folder / f"{name:03}", os.O_CREAT | os.O_WRONLY))
    tree.make()
    index = tree.open()
    (size,) = index._database.execute("PRAGMA cache_size").fetchone()
    assert size == -1024
    assert all(index.entry(b"/usr/%d/%03d" % (n % 30, n % 100)) is not None for n in range(0, 3_000, 7))
    index.close()
