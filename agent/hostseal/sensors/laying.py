"""Keeps what sessions have laid: reads an artefact when it is written, remembers it on disk, says what comes of it."""

import hashlib
import os
import pwd
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from hostseal.core import taint
from hostseal.core.attribution import ProcessFacts
from hostseal.core.persistence import KEY_FILES, Artefact, Lays, artefact_of, kind_of, starts
from hostseal.core.taint import EVERYONE, NOT_KNOWN, Asked, Laid, Taint
from hostseal.core.text import faithful

NAME = "laid"
READ_LIMIT = 256 << 10
_SETTING = re.compile(r"^\s*(?:Unit|Service)\s*=\s*(\S+)\s*$", re.MULTILINE)


class Memory(Protocol):
    """Keeps a value under a name for good."""

    def remember(self, key: str, value: bytes) -> None:
        """Store it; SpoolError."""

    def recall(self, key: str) -> bytes | None:
        """Return it; SpoolError."""


class Laying:
    """What was laid, in memory at once and on disk with :meth:`save`. Safe for threads."""

    def __init__(
        self,
        memory: Memory,
        boot: str,
        *,
        key_files: Sequence[str] = KEY_FILES,
        now: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
    ) -> None:
        """Take up what is remembered; what cannot be read was laid by another version, and is begun anew. SpoolError."""
        self._memory, self._boot, self._key_files, self._now = memory, boot, tuple(key_files), now
        self._lock = threading.Lock()
        self._changed = False
        try:
            self._taint = msgspec.json.decode(memory.recall(NAME) or b"{}", type=Taint)
        except msgspec.DecodeError:
            self._taint = Taint()

    def lays(self, path: bytes) -> str | None:
        """Return what kind of artefact is at a path, None for any other file."""
        return kind_of(path, self._key_files)

    def wrote(self, path: bytes, session: Mapping[str, Any]) -> None:
        """Note that a session, or what one had laid, changed a path; what has gone again stays as it was known."""
        artefact = artefact_of(path, self._key_files)
        if artefact is None:
            return
        try:
            since = max(0.0, time.time() - os.lstat(path).st_ctime)
        except OSError:
            return
        one = _look(path, artefact, session, self._boot, self._now() - since)
        with self._lock:
            after = taint.laid(self._taint, one)
            self._changed |= after is not self._taint
            self._taint = after

    def went(self, path: bytes) -> None:
        """Note that somebody took away or renamed what is at a path, whoever it was."""
        if self.find(name := faithful(path)) is not None and not os.path.lexists(path):
            with self._lock:
                after = taint.gone(self._taint, name)
                self._changed |= after is not self._taint
                self._taint = after

    def executed(self, facts: ProcessFacts, session: Mapping[str, Any]) -> None:
        """Note what a session executes, if it has a manager make a unit: that one is in no file that is watched."""
        if facts.exe in taint.ASKING:
            one = Asked(session=dict(session), boot=self._boot, at=self._now(), uid=facts.login_uid)
            with self._lock:
                self._taint, self._changed = taint.asked(self._taint, one), True

    def source_of(self, facts: ProcessFacts) -> Laid | None:
        """Return what a process comes of that belongs to no session, None where nothing was laid that would say so."""
        return taint.source_of(self._taint, facts, self._boot)

    def find(self, path: str) -> Laid | None:
        """Return what is laid at a path."""
        return taint.find(self._taint, path)

    def restored(self, path: bytes) -> None:
        """Note that a path is what the seal says again."""
        with self._lock:
            after = taint.restored(self._taint, faithful(path))
            self._changed |= after != self._taint
            self._taint = after

    def forgive(self) -> None:
        """Forget everything: somebody has looked at the host and pardoned it."""
        with self._lock:
            self._changed |= self._taint != Taint()
            self._taint = Taint()

    def save(self) -> None:
        """Put what has changed on disk. SpoolError: it is tried again with the next call."""
        with self._lock:
            if self._changed:
                self._memory.remember(NAME, msgspec.json.encode(self._taint))
                self._changed = False


def key_files(folder: Path = Path("/etc/ssh")) -> tuple[str, ...]:
    """Return sshd's AuthorizedKeysFile, all that its settings name; its default where they name none."""
    found: list[str] = []
    for name in (*sorted((folder / "sshd_config.d").glob("*.conf")), folder / "sshd_config"):
        try:
            text = name.read_text("utf-8", "surrogateescape")
        except OSError:
            continue
        for line in text.splitlines():
            words = line.replace("=", " ", 1).split()
            if words and words[0].lower() == "authorizedkeysfile":
                found += [word for word in words[1:] if word.lower() != "none"]
    return (*KEY_FILES, *(word for word in dict.fromkeys(found) if word not in KEY_FILES))


def _look(path: bytes, artefact: Artefact, session: Mapping[str, Any], boot: str, at: float) -> Laid:
    raw, owner = _content(path)
    text, name = raw.decode("utf-8", "surrogateescape"), faithful(path)
    unit = artefact.unit
    if unit is not None:
        setting = _SETTING.search(text)
        unit = starts(unit, setting[1] if setting and not unit.endswith(".service") else None)
    jobs = taint.jobs_of(text, name) if artefact.kind is Lays.CRON else ()
    return Laid(
        path=name,
        kind=artefact.kind,
        session=dict(session),
        boot=boot,
        at=at,
        sha256=hashlib.sha256(raw).hexdigest() if raw else None,
        unit=unit,
        manager=_manager(artefact),
        uid=_runs_as(artefact, jobs, owner),
        jobs=jobs,
    )


def _manager(artefact: Artefact) -> int | None:
    if artefact.unit is None or not artefact.is_users:
        return None
    if artefact.home is None:
        return EVERYONE
    try:
        return os.stat(artefact.home).st_uid
    except OSError:
        return NOT_KNOWN


def _runs_as(artefact: Artefact, jobs: Sequence[taint.Job], owner: int | None) -> int | None:
    if artefact.kind is Lays.AT_JOB:
        return owner
    if artefact.kind is not Lays.CRON:
        return None
    if artefact.user is not None:
        return _uid(artefact.user)
    users = {job.user for job in jobs if job.user is not None}
    if not users:
        return 0
    return _uid(users.pop()) if len(users) == 1 else None


def _uid(user: str) -> int | None:
    try:
        return pwd.getpwnam(user).pw_uid
    except (KeyError, ValueError):
        return None


def _content(path: bytes) -> tuple[bytes, int | None]:
    """Return the first part of a regular file, and its owner; of anything else, and what cannot be read, nothing."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b"", None
    try:
        found = os.fstat(file)
        return (os.read(file, READ_LIMIT) if found.st_size else b""), found.st_uid
    except OSError:
        return b"", None
    finally:
        os.close(file)
