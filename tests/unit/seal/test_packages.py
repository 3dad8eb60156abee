"""Which package owns a path: by real dpkg and, in a tree of rpm's, by rpm itself."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from hostseal.core.seal_format import Item
from hostseal.errors import SealError
from hostseal.seal.packages import Packages
from unit.seal.sealed_tree import SealedTree

needs_root = pytest.mark.skipif(os.geteuid() != 0 and "CI" not in os.environ, reason="dpkg installs as root")


class Debian(SealedTree):
    """A merged-/usr tree that dpkg installs packages into."""

    def __init__(self, top: Path) -> None:
        super().__init__(top)
        for folder in ("usr/bin", "usr/lib", "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/log"):
            (self.root / folder).mkdir(parents=True)
        for name in ("bin", "lib"):
            (self.root / name).symlink_to(f"usr/{name}")
        (self.root / "var/lib/dpkg/status").touch()

    def install(self, name: str, *paths: str) -> None:
        package = self.top / name
        (package / "DEBIAN").mkdir(parents=True)
        (package / "DEBIAN/control").write_text(
            f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n"
        )
        for path in paths:
            place = package / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(f"{name} {path}")
        subprocess.run(["dpkg-deb", "--build", package], check=True, capture_output=True)
        self.dpkg("dpkg", "--install", f"{package}.deb")

    def dpkg(self, program: str, *words: object) -> None:
        argv = [program, f"--root={self.root}", *map(str, words)]
        done = subprocess.run(argv, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@needs_root
def test_dpkgs_files_are_its_packages_through_links_and_diversions_and_folders_of_many_are_nobodys(
    tmp_path: Path,
) -> None:
    tree = Debian(tmp_path)
    tree.install("one", "bin/tool", "lib/one/data", "etc/one.conf", "usr/share/shared/one")
    tree.dpkg("dpkg-divert", "--package", "two", "--rename", "--divert", "/usr/bin/tool.one", "/bin/tool")
    tree.install("two", "usr/share/shared/two", "bin/tool", "usr/bin/other")
    tree.write("usr/bin/nobodys")
    tree.seal()
    packages = {path: entry.package for path, entry in tree.entries().items()}
    assert (tree.root / "usr/bin/tool").read_text() == "two bin/tool"
    wanted = {
        "/usr/bin/tool": "two",
        "/usr/bin/tool.one": "one",
        "/usr/bin/other": "two",
        "/usr/bin/nobodys": "",
        "/usr/lib/one/data": "one",
        "/usr/lib/one": "one",
        "/etc/one.conf": "one",
        "/usr/share/shared": "",
        "/usr/share/shared/two": "two",
        "/usr/share": "",
    }
    assert {path: packages[path] for path in wanted} == wanted


@needs_root
def test_the_images_digest_does_not_depend_on_who_owns_a_path(tmp_path: Path) -> None:
    tree = Debian(tmp_path)
    tree.install("one", "etc/one.conf")
    before = tree.seal()
    info = tree.root / "var/lib/dpkg/info/one.list"
    kept = info.read_bytes()
    shutil.move(info, tree.top / "kept")
    without = tree.seal()
    assert tree.entries()["/etc/one.conf"].package == ""
    assert without.manifest != before.manifest
    info.write_bytes(kept)
    assert tree.seal().image == before.image


def test_a_tree_without_a_package_manager_has_no_packages(tmp_path: Path) -> None:
    with Packages(tmp_path) as packages:
        assert packages.owners(b"/etc", [Item(b"a", "f", 0, 0, 0, 0, b"", {})]) == [""]


def test_links_of_the_tree_lead_nowhere_out_of_it_and_loops_end(tmp_path: Path) -> None:
    tree = SealedTree(tmp_path)
    (tree.root / "var/lib/dpkg/info").mkdir(parents=True)
    (tree.root / "up").symlink_to("../../../../etc")
    (tree.root / "loop").symlink_to("loop")
    (tree.root / "var/lib/dpkg/info/p:amd64.list").write_text("/.\n/up\n/up/a\n/loop/b\n")
    tree.write("etc/a")
    tree.seal()
    assert tree.entries()["/etc/a"].package == "p"


def test_a_tree_of_rpms_is_asked_of_rpm_and_without_it_not_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = SealedTree(tmp_path)
    (tree.root / "usr/lib/sysimage/rpm").mkdir(parents=True)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SealError, match="no rpm here"):
        tree.seal()
