"""Somebody who does things to files, and an observer who knows of them only what a sensor tells."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Self

from contract.file_sensors import DEADLINE, Sink
from hostseal.sensors.file_scope import Scope

Entry = tuple[Any, ...]
HANDS = r"""
import ctypes, json, os, shutil, sys

def write(path, flags=0, data=b"x", mode=0o644):
    file = os.open(path, os.O_WRONLY | os.O_NONBLOCK | flags, mode)
    try:
        os.write(file, data)
    finally:
        os.close(file)

def fill(path, other, number):
    os.makedirs(path + b"/" + other)
    for name in (b"1", b"2"):
        write(path + b"/" + other + b"/" + name, os.O_CREAT)

def unnamed(path, other, number):
    file = os.open(path, os.O_WRONLY | os.O_TMPFILE, 0o600)
    try:
        if ctypes.CDLL(None).linkat(-100, b"/proc/self/fd/%d" % file, -100, path + b"/" + other, 0x400):
            raise FileExistsError(other)
        os.write(file, b"late %d" % number)
    finally:
        os.close(file)

def cut(path, other, number):
    file = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    try:
        os.ftruncate(file, number % 5)
    finally:
        os.close(file)

def flood(path, other, number):
    os.mkdir(path)
    for n in range(number):
        os.close(os.open(b"%s/%d" % (path, n), os.O_WRONLY | os.O_CREAT))
    shutil.rmtree(path)

def shake(path, other, number):
    for n in range(number):
        os.chmod((path, other)[n % 2], 0o755)

DEEDS = {
    "create": lambda p, o, n: write(p, os.O_CREAT | os.O_EXCL, b"new %d" % n),
    "write": lambda p, o, n: write(p, os.O_CREAT | os.O_TRUNC, b"w %d" % n),
    "append": lambda p, o, n: write(p, os.O_APPEND, b"a%d" % n),
    "truncate": lambda p, o, n: os.truncate(p, n % 7),
    "cut": cut,
    "chmod": lambda p, o, n: os.chmod(p, 0o400 + n % 512 | (n % 8) << 9),
    "chown": lambda p, o, n: os.chown(p, n % 3, n % 5, follow_symlinks=False),
    "setxattr": lambda p, o, n: os.setxattr(p, "trusted.test", b"%d" % n, follow_symlinks=False),
    "rename": lambda p, o, n: os.rename(p, o),
    "link": lambda p, o, n: os.link(p, o, follow_symlinks=False),
    "unlink": lambda p, o, n: os.unlink(p),
    "mkdir": lambda p, o, n: os.mkdir(p),
    "rmdir": lambda p, o, n: os.rmdir(p),
    "rmtree": lambda p, o, n: shutil.rmtree(p) if os.path.isdir(p) else os.unlink(p),
    "symlink": lambda p, o, n: os.symlink(o, p),
    "mkfifo": lambda p, o, n: os.mkfifo(p),
    "fill": fill, "unnamed": unnamed, "flood": flood, "shake": shake,
}
for line in sys.stdin:
    deed, path, other, number = json.loads(line)
    try:
        DEEDS[deed](os.fsencode(path), os.fsencode(other), number)
        print("done", flush=True)
    except OSError as error:
        print(type(error).__name__, error.errno, flush=True)
"""


class Hands:
    """Another process, for a sensor passes over what its own does."""

    def __init__(self) -> None:
        self.done = 0
        command = [sys.executable, "-ISE", "-c", HANDS]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def do(self, deed: str, path: bytes, other: bytes = b"", number: int = 0) -> bool:
        """Return whether it could be done."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([deed, os.fsdecode(path), os.fsdecode(other), number]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the hands have died"
        self.done += answer == "done\n"
        return answer == "done\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(DEADLINE)
        self._process.stdout.close()


def entry(path: bytes) -> Entry | None:
    """Return all that is compared of what is at a path, None if nothing is; what is beyond a link is not there."""
    if os.path.realpath(os.path.dirname(path)) != os.path.dirname(path):
        return None
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    content: bytes | None = None
    if stat.S_ISREG(status.st_mode):
        with open(path, "rb") as file:
            content = file.read()
    elif stat.S_ISLNK(status.st_mode):
        content = os.readlink(path)
    names = sorted(os.listxattr(path, follow_symlinks=False))
    xattrs = tuple((name, os.getxattr(path, name, follow_symlinks=False)) for name in names)
    return status.st_mode, status.st_uid, status.st_gid, content, xattrs


def entries(top: bytes, scope: Scope) -> dict[bytes, Entry]:
    """Return what is at and below `top`, where it is watched."""
    found: dict[bytes, Entry] = {}
    waiting = [top]
    while waiting:
        path = waiting.pop()
        if (here := entry(path)) is None:
            continue
        if scope.holds(path):
            found[path] = here
        if stat.S_ISDIR(here[0]):
            waiting += [path + b"/" + name for name in os.listdir(path)]
    return found


class Observer:
    """What somebody believes to be there who looks only where a sensor says that something has changed."""

    def __init__(self, root: bytes, scope: Scope) -> None:
        self._root, self._scope = root, scope
        self.believed = entries(root, scope)
        self.losses: list[tuple[str, str, Mapping[str, Any]]] = []

    def look(self, sink: Sink) -> None:
        """Look at what was told since the last time; where something was lost, at all that is there."""
        changes, sink.changes = sink.changes, []
        losses, sink.losses = sink.losses, []
        self.losses += losses
        self.told = [(change.path, change.what, change.other) for change in changes]
        for path in {change.path for change in changes}:
            self._see(path)
        for moved in {change.path for change in changes if change.what in ("renamed", "deleted")}:
            for path in [path for path in self.believed if path.startswith(moved + b"/")]:
                self._see(path)
        for _, scope, _ in losses:
            self._scan(os.fsencode(scope) if scope.startswith("/") and "," not in scope else self._root)

    def scan(self) -> None:
        """Look at everything, as is done when a sensor was away."""
        self._scan(self._root)

    def unknown(self) -> dict[bytes, tuple[Entry | None, Entry | None]]:
        """Return where the belief is wrong: believed and real."""
        real = entries(self._root, self._scope)
        paths = self.believed.keys() | real.keys()
        return {p: (self.believed.get(p), real.get(p)) for p in paths if self.believed.get(p) != real.get(p)}

    def _see(self, path: bytes) -> None:
        here = entry(path)
        if here is None or not stat.S_ISDIR(here[0]):
            self._forget_below(path)
        if here is None or not self._scope.holds(path):
            self.believed.pop(path, None)
        else:
            self.believed[path] = here

    def _scan(self, top: bytes) -> None:
        self._forget_below(top)
        self.believed.pop(top, None)
        self.believed.update(entries(top, self._scope))

    def _forget_below(self, top: bytes) -> None:
        below = top + b"/"
        self.believed = {path: known for path, known in self.believed.items() if not path.startswith(below)}
