"""Manifests of real trees: raw names, links, what cannot be read, and the same bytes for the same tree."""

import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hostseal.core.seal import Entry, Kind, rank, text
from hostseal.core.seal_compare import Change, Difference
from hostseal.errors import SealError
from hostseal.seal import files
from hostseal.seal.reading import Reader
from hostseal.seal.verifying import Verification, verify
from hostseal.seal.walk import scan

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
NAME = b"b\xff \n%41\xc3\xa9"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    top = tmp_path / "root"
    for folder in ("etc/ssh", "usr/bin", "var/lib", "home/alice/.ssh", "home/alice/work"):
        (top / folder).mkdir(parents=True)
    (top / "etc/a").write_text("a")
    (top / "var/lib/x").write_text("x")
    (top / "home/alice/work/w").write_text("w")
    (top / "etc/link").symlink_to("/outside")
    (top / "usr/bin/loop").symlink_to(".")
    os.mkfifo(top / "etc/pipe")
    with open(os.fsencode(top) + b"/etc/" + NAME, "wb") as file:
        file.write(b"odd")
    return top


def entries(manifest: Path) -> list[Entry]:
    with Reader.open(manifest, KEY.public_key()) as reader:
        return list(reader.entries())


def differences(manifest: Path, root: Path, **how: object) -> list[Difference]:
    with Reader.open(manifest, KEY.public_key()) as reader:
        batches = list(verify(reader, Verification(root=root, **how)))  # type: ignore[arg-type]
        if not how:
            assert sum(batch.entries for batch in batches) == reader.header.entries
        return [one for batch in batches for one in batch.differences]


def made(root: Path, out: Path) -> bytes:
    files.create(root, out, KEY)
    return out.read_bytes()


def test_the_sealed_trees_and_no_other_are_listed(root: Path, tmp_path: Path) -> None:
    files.create(root, tmp_path / "m", KEY)
    inside = [b"a", NAME, b"link", b"pipe", b"ssh"]
    wanted = [b"/etc", b"/usr", b"/usr/bin", b"/usr/bin/loop", b"/home/alice/.ssh"]
    assert [entry.raw_path for entry in entries(tmp_path / "m")] == sorted(
        [*wanted, *(b"/etc/" + name for name in inside)], key=rank
    )
    kinds = {entry.path: entry.kind for entry in entries(tmp_path / "m")}
    assert (kinds["/etc/pipe"], kinds["/etc/link"], kinds["/usr/bin/loop"]) == (
        Kind.FIFO,
        Kind.LINK,
        Kind.LINK,
    )


def test_the_same_tree_gives_the_same_bytes_and_a_copy_too(root: Path, tmp_path: Path) -> None:
    first = made(root, tmp_path / "1")
    assert made(root, tmp_path / "2") == first
    subprocess.run(["cp", "-a", root, tmp_path / "copy"], check=True)
    os.utime(tmp_path / "copy/etc/a", (1, 1))
    assert made(tmp_path / "copy", tmp_path / "3") == first


def test_the_images_digest_is_of_all_of_it_and_not_of_the_manifest_in_it(root: Path, tmp_path: Path) -> None:
    before = files.create(root, tmp_path / "1", KEY)
    (root / "etc/hostseal").mkdir()
    with_folder = files.create(root, tmp_path / "2", KEY)
    with_manifest = files.create(root, root / "etc/hostseal/image.seal", KEY)
    assert with_folder.image == with_manifest.image != before.image
    (root / "var/lib/x").write_text("y")
    assert files.create(root, tmp_path / "3", KEY).image != with_folder.image


def test_a_tree_is_compared_as_it_lies_there(root: Path, tmp_path: Path) -> None:
    files.create(root, tmp_path / "m", KEY)
    assert differences(tmp_path / "m", root) == []
    (root / "etc/a").write_text("b")
    os.unlink(os.fsencode(root) + b"/etc/" + NAME)
    (root / "etc/link").unlink()
    (root / "etc/link").symlink_to("/elsewhere")
    (root / "etc/ssh/ssh_host_key").write_text("own")
    (root / "var/lib/new").write_text("not sealed")
    found = {(one.path, one.change) for one in differences(tmp_path / "m", root)}
    assert found == {
        ("/etc/a", Change.CONTENT),
        (text(b"/etc/" + NAME), Change.MISSING),
        ("/etc/link", Change.TARGET),
    }


def test_a_folder_that_is_gone_or_a_link_now_is_found(root: Path, tmp_path: Path) -> None:
    files.create(root, tmp_path / "m", KEY)
    (root / "usr").rename(root / "usr2")
    (root / "usr").symlink_to("usr2")
    found = {(one.path, one.change) for one in differences(tmp_path / "m", root)}
    assert found == {
        ("/usr", Change.KIND),
        ("/usr/bin", Change.MISSING),
        ("/usr/bin/loop", Change.MISSING),
    }


def test_more_than_64_mib_are_hashed_too(root: Path, tmp_path: Path) -> None:
    with (root / "usr/bin/large").open("wb") as file:
        file.truncate(65 << 20)
    files.create(root, tmp_path / "m", KEY)
    with (root / "usr/bin/large").open("r+b") as file:
        file.seek(64 << 20)
        file.write(b"x")
    assert [(one.path, one.change) for one in differences(tmp_path / "m", root)] == [
        ("/usr/bin/large", Change.CONTENT)
    ]


@pytest.mark.skipif(os.geteuid() != 0 and "CI" not in os.environ, reason="gives up root's right to read all")
def test_what_cannot_be_read_stops_a_seal_and_breaks_a_comparison(root: Path, tmp_path: Path) -> None:
    files.create(root, tmp_path / "m", KEY)
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (root / "etc/a").chmod(0)
    (root / "etc/ssh").chmod(0)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    pid = os.fork()
    if pid == 0:  # pragma: no cover - another process
        os.setuid(65534)
        found = {(one.path, one.change) for one in differences(tmp_path / "m", root)}
        good = {("/etc/a", Change.UNREADABLE), ("/etc/ssh", Change.UNREADABLE)} <= found
        try:
            files.create(root, tmp_path / "open/m", KEY)
            good = False
        except SealError as error:
            good = good and "cannot be sealed: Permission denied" in error.message
        os._exit(0 if good else 1)
    assert os.waitpid(pid, 0)[1] == 0


def test_a_vanishing_tree_is_an_empty_one(tmp_path: Path) -> None:
    found = scan(os.fsencode(tmp_path / "none"))
    assert (found.items, found.unreadable) == ((), {})


def test_a_running_system_is_refused_at_once_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(SealError, match="there is a ") as refused:
        files.create(Path("/"), tmp_path / "m", KEY)
    assert "seal the tree of an image" in refused.value.hint
    assert not (tmp_path / "m").exists()
