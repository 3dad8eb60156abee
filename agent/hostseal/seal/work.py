"""What a worker does for a seal: looks at names, and compares them with what a manifest says. Tasks and answers are bytes."""

import os
import stat
import sys
import time
from collections.abc import Mapping
from typing import BinaryIO

import msgspec

from hostseal.core import seal_format as form
from hostseal.core.seal import Personal, text
from hostseal.core.seal_compare import Change, Difference, Own, differences
from hostseal.core.seal_format import Item
from hostseal.core.trees import Position, Trees
from hostseal.seal import look
from hostseal.seal.folders import Folders
from hostseal.seal.walk import Part, looked, reason

LENGTH_BYTES = 4
NOTHING, NO_FILE = msgspec.Raw(b"\xc0"), msgspec.Raw(b"\x80")
_FRESH_NS = 2_000_000_000


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker knows beforehand. `bytes_per_second`: how much it reads at most, 0 for no bound."""

    root: bytes
    sealed: tuple[str, ...] = ()
    personal: tuple[Personal, ...] = ()
    bytes_per_second: int = 0


class Known(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A file's content and attributes by its status: as long as all of that is the same, so are they.

    Whatever changes one of them changes the ctime, inode(7).
    """

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    mode: int
    sha256: bytes
    xattrs: dict[str, bytes]

    def is_of(self, status: os.stat_result) -> bool:
        """Tell whether it still is the content."""
        return (
            self.ctime_ns == status.st_ctime_ns
            and self.mtime_ns == status.st_mtime_ns
            and self.size == status.st_size
            and self.inode == status.st_ino
            and self.device == status.st_dev
            and self.mode == status.st_mode
        )


class Looked(msgspec.Struct, frozen=True, array_like=True):
    """What was found of a part: its items as :func:`form.encode_items` has them, how many of them are folders."""

    folder: bytes
    items: bytes
    count: int
    folders: int
    unreadable: dict[str, str]


class Check(msgspec.Struct, frozen=True, array_like=True):
    """A listing's payload to compare with what is there, and what is known of its files.

    `known`: a map from names to :class:`Known`, NOTHING when it is not asked for. `names`: what is in the folder between the listing before and the one after, None for the worker to look itself.
    `only`: the names that matter, None for all.
    """

    payload: bytes
    names: tuple[bytes, ...] | None
    only: tuple[bytes, ...] | None
    known: msgspec.Raw


class Checked(msgspec.Struct, array_like=True):
    """What came out of a task's checks so far. `added`: folders that the manifest does not have, to be walked.

    `entries` were compared, `hashed` files read, `cached` ones known, `unreadable` paths could not be read. `known`: for
    each check, what is known of its files now.
    """

    differences: list[Difference] = []
    entries: int = 0
    hashed: int = 0
    cached: int = 0
    unreadable: int = 0
    added: list[bytes] = []
    known: list[msgspec.Raw] = []


class Work:
    """Does one task after the other."""

    def __init__(self, setup: Setup) -> None:
        """Open the root; OSError."""
        self._folders = Folders(setup.root)
        self._trees = Trees(map(os.fsencode, setup.sealed))
        self._own = Own(setup.personal)
        self._pace = Pace(setup.bytes_per_second).spent if setup.bytes_per_second else None
        self._encoder = msgspec.msgpack.Encoder()
        self._parts = msgspec.msgpack.Decoder(list[Part])
        self._checks = msgspec.msgpack.Decoder(list[Check])
        self._known = msgspec.msgpack.Decoder(dict[bytes, Known] | None)

    def close(self) -> None:
        """Close what is open."""
        self._folders.close()

    def look(self, task: bytes) -> bytes:
        """Take parts, return what is found of each."""
        answers = []
        for part in self._parts.decode(task):
            items, unreadable = looked(self._folders, part)
            folders = sum(1 for item in items if item.kind == "d")
            answers.append(Looked(part.folder, form.encode_items(items), len(items), folders, unreadable))
        self._folders.forget()
        return self._encoder.encode(answers)

    def check(self, task: bytes) -> bytes:
        """Take checks, return what differs."""
        answer = Checked()
        for one in self._checks.decode(task):
            self._check(one, answer)
        self._folders.forget()
        return self._encoder.encode(answer)

    def _check(self, one: Check, answer: Checked) -> None:
        known = self._compare(one, answer)
        answer.known.append(one.known if known is None else msgspec.Raw(self._encoder.encode(known)))

    def _compare(self, one: Check, answer: Checked) -> dict[bytes, Known] | None:
        """Return what is known now of a listing's files; None when it is what was known before."""
        listing = form.read_listing(one.payload)
        folder = listing.folder
        before = self._known.decode(one.known)
        known: dict[bytes, Known] = {}
        sealed = {item.name: item for item in listing.items if one.only is None or item.name in one.only}
        answer.entries += len(sealed)
        try:
            names = self._there(folder, one)
            directory = self._folders.open(folder)
        except (FileNotFoundError, NotADirectoryError):
            names, directory = [], -1
        except OSError as error:
            answer.unreadable += 1
            answer.differences.append(_unreadable(folder, error))
            return {}
        for name in names if set(names) == sealed.keys() else sorted({*names, *sealed}):
            was = sealed.get(name)
            try:
                now = None if directory < 0 else self._now(directory, name, was, before, known, answer)
            except FileNotFoundError:
                now = None
            except OSError as error:
                answer.unreadable += 1
                answer.differences.append(_unreadable(os.path.join(folder, name), error))
                continue
            if now is not None and now == was:
                continue
            answer.differences += self.compared(folder, was, now)
            if now is not None and now.kind == "d" and (was is None or was.kind != "d"):
                answer.added.append(os.path.join(folder, name))
        return None if before is None or before == known else known

    def compared(self, folder: bytes, was: Item | None, now: Item | None) -> list[Difference]:
        """Return in what a name differs."""
        one = was or now
        if one is None:
            return []
        own = self._own.find(os.path.join(folder, one.name))
        return differences(
            None if was is None else form.entry(folder, was),
            None if now is None else form.entry(folder, now),
            own,
        )

    def _now(
        self,
        directory: int,
        name: bytes,
        was: Item | None,
        before: Mapping[bytes, Known] | None,
        known: dict[bytes, Known],
        answer: Checked,
    ) -> Item:
        """Return what a name is now; the content of a file that nothing was known of, or has changed, is read."""
        if was is None:
            return look.surface(directory, name)
        if before is None:
            item, status = look.item(directory, name, spent=self._pace)
            answer.hashed += item.kind == "f"
            return item
        old = before.get(name)
        if old is not None:
            status = os.stat(name, dir_fd=directory, follow_symlinks=False)
            if stat.S_ISREG(status.st_mode) and old.is_of(status):
                answer.cached += 1
                known[name] = old
                return look.recorded(name, status, old.sha256, old.xattrs)
        item, status = look.item(directory, name, spent=self._pace)
        if item.kind == "f":
            answer.hashed += 1
            if _settled(status):
                known[name] = _known(status, item)
        return item

    def _there(self, folder: bytes, one: Check) -> list[bytes]:
        """Return the names in a folder that this check is about."""
        names = [name for name, _ in self._folders.names(folder)] if one.names is None else list(one.names)
        if one.only is not None:
            names = [name for name in names if name in one.only]
        if self._inside(folder):
            return names
        return [name for name in names if self._inside(os.path.join(folder, name))]

    def _inside(self, path: bytes) -> bool:
        return self._trees.position(path) is Position.INSIDE


class Pace:
    """Sleeps so that no more than so many bytes a second are read over time."""

    def __init__(self, bytes_per_second: int) -> None:
        """Begin now."""
        self._rate, self._due = bytes_per_second, time.monotonic()

    def spent(self, count: int) -> None:
        """Wait as long as `count` bytes may take."""
        now = time.monotonic()
        self._due = max(self._due, now - 1.0) + count / self._rate
        if self._due > now:
            time.sleep(self._due - now)


def _settled(status: os.stat_result) -> bool:
    """Tell whether a change from now on must show in the times: clocks of file systems are coarse."""
    return max(status.st_mtime_ns, status.st_ctime_ns) < time.time_ns() - _FRESH_NS


def _known(status: os.stat_result, item: Item) -> Known:
    return Known(
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_mode,
        item.content,
        item.xattrs,
    )


def _unreadable(path: bytes, error: OSError) -> Difference:
    return Difference(path=text(path), change=Change.UNREADABLE, found=reason(error))


def serve(tasks: BinaryIO, answers: BinaryIO) -> None:
    """Take a setup, then tasks, until there are no more; each begins with its length, and a letter for what to do."""
    setup = _message(tasks)
    if setup is None:
        return
    work = Work(msgspec.msgpack.decode(setup, type=Setup))
    does = {b"L": work.look, b"C": work.check}
    while (task := _message(tasks)) is not None:
        answer = does[task[:1]](task[1:])
        answers.write(len(answer).to_bytes(LENGTH_BYTES, "big") + answer)
        answers.flush()


def _message(source: BinaryIO) -> bytes | None:
    length = source.read(LENGTH_BYTES)
    return source.read(int.from_bytes(length, "big")) if len(length) == LENGTH_BYTES else None


if __name__ == "__main__":
    import gc
    import signal

    # Ctrl-C goes to all processes of a terminal: the one that gives the tasks ends, and then there are no more.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # nothing here refers to itself, and looking for what does takes time with every file
    serve(sys.stdin.buffer, sys.stdout.buffer)
