"""What is mounted where: proc_pid_mountinfo(5), read and followed."""

import base64
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol, Self

import msgspec

from hostseal.core.text import faithful
from hostseal.sensors.file_scope import Position, Scope

SOURCES = ("/proc/1/mountinfo", "/proc/self/mountinfo")
_ESCAPED = re.compile(rb"\\([0-7]{3})")


class Lost(Protocol):
    """Takes the news of a loss; see :class:`hostseal.ports.FileSink`."""

    def __call__(self, cause: str, scope: str, detail: Mapping[str, Any]) -> None:
        """Take it."""


class Mount(msgspec.Struct, frozen=True):
    """One line: mount id, the filesystem's device, the filesystem's directory that is mounted, where, and its type.

    `options` are the mount's own (`ro`, `nosuid`, ...): mount -o remount changes them.
    """

    number: int
    device: str
    root: bytes
    point: bytes
    type: str
    options: str = ""


def parse(text: bytes) -> tuple[Mount, ...]:
    """Return the mounts of a mountinfo file, in its order: a later one hides an earlier one at the same place."""
    mounts = []
    for line in text.splitlines():
        fields, _, rest = line.partition(b" - ")
        number, _, device, root, point, options = fields.split(b" ")[:6]
        kind = rest.split(b" ")[0].decode()
        mounts.append(
            Mount(int(number), device.decode(), _plain(root), _plain(point), kind, options.decode("ascii"))
        )
    return tuple(mounts)


def under(path: bytes, directory: bytes) -> bool:
    """Tell whether `path` is `directory` or below it."""
    return path == directory or path.startswith(directory if directory.endswith(b"/") else directory + b"/")


def holder(mounts: Iterable[Mount], path: bytes) -> Mount | None:
    """Return the mount that `path` is on: the deepest one above it, the latest of those."""
    above = [mount for mount in mounts if under(path, mount.point)]
    deepest = max((len(mount.point) for mount in above), default=0)
    return next((mount for mount in reversed(above) if len(mount.point) == deepest), None)


def watched(mounts: tuple[Mount, ...], scope: Scope) -> tuple[Mount, ...]:
    """Return the mounts on which a watched path is or may come to be."""
    found: dict[Mount, None] = {}
    for base in scope.bases():
        if (mount := holder(mounts, base)) is not None:
            found[mount] = None
        below = (
            m for m in mounts if under(m.point, base) and scope.position(m.point) is not Position.OUTSIDE
        )
        found.update(dict.fromkeys(below))
    return tuple(found)


def tell(before: Iterable[Mount], now: Iterable[Mount], lost: Lost) -> None:
    """Say where what is mounted has changed: what is read below such a place may have, and no file was written.

    The scope is the place, as text and, in `path`, as Base64 of its bytes; `mounted` tells whether anything watched is
    mounted there now, and of which type; `remounted` has the options before and after, if only those have changed.
    """
    old, new = set(before), set(now)
    gone = {(m.number, m.device, m.root, m.point): m for m in old - new}
    for mount in sorted(new - old, key=lambda one: one.point):
        was = gone.pop((mount.number, mount.device, mount.root, mount.point), None)
        detail: dict[str, Any] = {"mounted": True, "type": mount.type}
        if was is not None:
            detail["remounted"] = [was.options, mount.options]
        _tell(mount.point, detail, lost)
    for point in sorted({mount.point for mount in gone.values()} - {mount.point for mount in new - old}):
        there = [mount for mount in new if mount.point == point]
        _tell(point, {"mounted": bool(there), "type": there[-1].type if there else None}, lost)


def _tell(point: bytes, detail: dict[str, Any], lost: Lost) -> None:
    lost("mounts_changed", faithful(point), {**detail, "path": base64.b64encode(point).decode("ascii")})


class MountTable:
    """PID 1's mounts, for a service's own view may be private; its own where that one may not be read.

    `fileno` is good for poll(2): POLLPRI says that something was mounted or unmounted.
    """

    def __init__(self, sources: Iterable[str] = SOURCES) -> None:
        self._file = _first(sources)

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return self._file

    def read(self) -> tuple[Mount, ...]:
        """Return the mounts as they are now."""
        os.lseek(self._file, 0, os.SEEK_SET)
        text = b""
        while chunk := os.read(self._file, 1 << 16):
            text += chunk
        return parse(text)

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def own() -> tuple[Mount, ...]:
    """Return the mounts this process sees."""
    return parse(Path("/proc/self/mountinfo").read_bytes())


def mount_number(descriptor: int) -> int:
    """Return the id of the mount through which `descriptor` was opened."""
    text = Path(f"/proc/self/fdinfo/{descriptor}").read_text("ascii")
    return int(text.split("mnt_id:", 1)[1].split(maxsplit=1)[0])


def _first(sources: Iterable[str]) -> int:
    error: OSError | None = None
    for source in sources:
        try:
            return os.open(source, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as failed:
            error = failed
    raise error or FileNotFoundError("no mountinfo")


def _plain(field: bytes) -> bytes:
    return _ESCAPED.sub(lambda match: bytes([int(match[1], 8)]), field)
