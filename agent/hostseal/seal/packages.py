"""Which package owns a path, as dpkg's lists in the tree say, or rpm of the tree's database.

The lists go through a private SQLite file: they are as long as the tree has files, and memory is to stay the same.
"""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from hostseal.core.seal_format import Item
from hostseal.errors import SealError

_INFO = "var/lib/dpkg/info"
_DIVERSIONS = "var/lib/dpkg/diversions"
_RPM = ("usr/lib/sysimage/rpm", "var/lib/rpm")
_RPM_FORMAT = "[%{=NAME}\\t%{FILENAMES}\\n]"
_LINKS = 40


class Packages:
    """The packages of a tree. A path that several own, as folders are, is nobody's."""

    def __init__(self, root: Path) -> None:
        """Read the package manager's lists; a tree without any has no packages. SealError, OSError."""
        self._root = os.fsencode(root).rstrip(b"/")
        self._real: dict[bytes, bytes] = {}
        self._folder: tuple[bytes, dict[bytes, str]] = (b"", {})
        self._database = sqlite3.connect("")  # a temporary file of SQLite's own, gone with it
        self._database.executescript(
            "PRAGMA cache_size = -4096; PRAGMA journal_mode = OFF;"
            "CREATE TABLE owned (folder BLOB, name BLOB, package TEXT, PRIMARY KEY (folder, name)) WITHOUT ROWID;"
        )
        with self._database:
            self._database.executemany(
                "INSERT INTO owned VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET package = CASE"
                " WHEN package = excluded.package THEN package ELSE '' END",
                self._rows(),
            )

    def owners(self, folder: bytes, items: Sequence[Item]) -> list[str]:
        """Return for each item of a folder which package owns it, `""` for none."""
        if folder != self._folder[0]:
            found = self._database.execute("SELECT name, package FROM owned WHERE folder = ?", (folder,))
            self._folder = folder, dict(found.fetchall())
        owned = self._folder[1]
        if not owned:
            return [""] * len(items)
        return [owned.get(item.name, "") for item in items]

    def close(self) -> None:
        """Forget all."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _rows(self) -> Iterator[tuple[bytes, bytes, str]]:
        for package, path in _dpkg(self._root) or _rpm(self._root):
            folder, name = os.path.split(path)
            if name:
                yield self._resolved(folder), name, package

    def _resolved(self, folder: bytes) -> bytes:
        """Return where a folder really is: lists say /bin/ls, and /bin is a link to usr/bin."""
        known = self._real.get(folder)
        if known is None:
            if len(self._real) > 1 << 14:
                self._real.clear()
            known = self._real[folder] = _within(self._root, folder)
        return known


def _within(root: bytes, folder: bytes) -> bytes:
    """Return a folder's real path in the tree at `root`; links that lead up end at the root, as for whoever boots it."""
    done: list[bytes] = []
    ahead = [name for name in reversed(folder.split(b"/")) if name]
    links = 0
    while ahead:
        name = ahead.pop()
        if name == b"..":
            done = done[:-1]
            continue
        try:
            target = os.readlink(b"/".join([root, *done, name]))
        except OSError:
            done.append(name)
            continue
        links += 1
        if links > _LINKS:
            return folder
        if target.startswith(b"/"):
            done = []
        ahead += [part for part in reversed(target.split(b"/")) if part not in {b"", b"."}]
    return b"/" + b"/".join(done)


def _dpkg(root: bytes) -> Iterator[tuple[str, bytes]] | None:
    """Yield the package and the path of all that dpkg put there; None when the tree is not dpkg's."""
    info = os.path.join(root, _INFO.encode())
    if not os.path.isdir(info):
        return None
    return _lists(info, _diversions(os.path.join(root, _DIVERSIONS.encode())))


def _lists(info: bytes, diverted: dict[bytes, tuple[bytes, str]]) -> Iterator[tuple[str, bytes]]:
    for name in sorted(os.listdir(info)):
        if not name.endswith(b".list"):
            continue
        package = os.fsdecode(name.removesuffix(b".list")).partition(":")[0]
        with open(os.path.join(info, name), "rb") as lines:
            for line in lines:
                path = line.rstrip(b"\n")
                elsewhere = diverted.get(path)
                yield package, path if elsewhere is None or elsewhere[1] == package else elsewhere[0]


def _diversions(path: bytes) -> dict[bytes, tuple[bytes, str]]:
    """Return for each diverted path where everybody's but one package's file is; `:` stands for no package."""
    try:
        with open(path, "rb") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return {}
    return {lines[i]: (lines[i + 1], os.fsdecode(lines[i + 2])) for i in range(0, len(lines) - 2, 3)}


def _rpm(root: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the package and the path of all that rpm put there; nothing when the tree is not rpm's."""
    places = [name for name in _RPM if os.path.isdir(os.path.join(root, name.encode()))]
    if not places:
        return
    if shutil.which("rpm") is None:
        raise SealError(
            "the tree's packages are rpm's, and there is no rpm here to read them", hint="install rpm"
        )
    # Of a copy: rpm writes beside a database that it reads, and another system's looks for it elsewhere.
    with tempfile.TemporaryDirectory() as copy, tempfile.TemporaryFile() as said:
        shutil.copytree(os.path.join(os.fsdecode(root), places[0]), copy, dirs_exist_ok=True)
        argv = ["rpm", "--dbpath", copy, "-qa", "--qf", _RPM_FORMAT]
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said) as running:
            for line in running.stdout or ():
                package, _, path = line.rstrip(b"\n").partition(b"\t")
                if path.startswith(b"/"):
                    yield os.fsdecode(package), path
            status = running.wait()
        said.seek(0)
        why = said.read()[-500:].decode("utf-8", "backslashreplace").strip()
        if status or "error:" in why:
            raise SealError(f"rpm cannot read the tree's packages: {why}")
