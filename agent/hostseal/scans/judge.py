"""Looks at one path and says how it stands to the seal. The manifest may be exchanged, or lost, at any time."""

import errno
import os
import threading

import msgspec

from hostseal.core.attribution import Confidence, Writer
from hostseal.core.by_design import Classes
from hostseal.core.change_set import PathChange
from hostseal.core.seal import Entry, Kind, Personal, text
from hostseal.core.verdict import Design, Sealed, Verdict, judged, unreadable, unsealed
from hostseal.errors import SealError
from hostseal.ports import Seal
from hostseal.seal.look import entry

FILE_LIMIT = 64 << 20
"""Of a file that is not sealed: a larger one has no digest."""


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What is at a path (`kind` None: nothing), a file's digest where it was read, the verdict, and the bytes it took."""

    kind: Kind | None
    sha256: str | None
    verdict: Verdict
    read: int = 0


class Judge:
    """Safe for threads."""

    def __init__(self, classes: Classes) -> None:
        """`classes`: what changes by design."""
        self._classes = classes
        self._lock = threading.Lock()
        self._seal: Seal | None = None

    @property
    def seal(self) -> Seal | None:
        """The manifest in force."""
        return self._seal

    def classify(self, classes: Classes) -> None:
        """Take other classes of files that change by design."""
        self._classes = classes

    def use(self, seal: Seal | None) -> None:
        """Judge by another manifest from now on, or by none."""
        with self._lock:
            self._seal = seal

    def look(self, change: PathChange, writer: Writer, confidence: Confidence, budget: int) -> Looked:
        """Return what is at a changed path and the verdict, with at most `budget` bytes read.

        A sealed file that is larger than that is unreadable; one that is not sealed just has no digest.
        """
        classes = self._classes
        name = classes.of(change.path, change.what, writer, confidence)
        return self._look(change.path, budget, None if name is None else Design(name, classes.own(name)))

    def is_sealed_directory(self, path: bytes) -> bool:
        """Tell whether the seal has a directory at a path."""
        with self._lock:
            sealed = self._seal.entry(path) if self._seal is not None else None
        return sealed is not None and sealed.kind is Kind.DIRECTORY

    def again(self, path: bytes, budget: int) -> Looked:
        """Look once more at what a scan found: nobody saw who did it, nor what."""
        classes = self._classes
        name = classes.unseen(path)
        return self._look(path, budget, None if name is None else Design(name, classes.own(name)))

    def _look(self, path: bytes, budget: int, design: Design | None) -> Looked:
        try:
            with self._lock:
                covered, sealed, own = self._said(path)
        except SealError as error:
            _, kind, _ = _at(path, 0)
            return Looked(kind=kind, sha256=None, verdict=unreadable(text(path), str(error)))
        compared = covered or sealed is not None
        now, kind, why = _at(path, budget if compared else min(budget, FILE_LIMIT))
        if not compared:
            verdict = unsealed(now, design)
        elif kind is not None and now is None:
            verdict = unreadable(text(path), why)
        else:
            verdict = judged(sealed, now, own, design)
        return Looked(
            kind=kind,
            sha256=now.sha256 or None if now is not None else None,
            verdict=verdict,
            read=now.size if now is not None else 0,
        )

    def _said(self, path: bytes) -> tuple[bool, Entry | None, Personal | None]:
        seal = self._seal
        return (False, None, None) if seal is None else (seal.covers(path), seal.entry(path), seal.own(path))


def unjudged(change: PathChange, _writer: Writer, _confidence: Confidence, budget: int) -> Looked:
    """Look at a path where there is no seal at all."""
    now, kind, _ = _at(change.path, min(budget, FILE_LIMIT))
    return Looked(
        kind=kind,
        sha256=now.sha256 or None if now is not None else None,
        verdict=Verdict(seal=Sealed.UNSEALED),
        read=now.size if now is not None else 0,
    )


def _at(path: bytes, limit: int) -> tuple[Entry | None, Kind | None, str]:
    """Return what is at a path; where it cannot be read, at least of what kind it is and why."""
    try:
        now = entry(path, path, limit=limit)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR}:
            return None, None, ""
        directory = os.path.isdir(path) and not os.path.islink(path)
        return None, Kind.DIRECTORY if directory else Kind.FILE, os.strerror(error.errno or 0)
    return now, now.kind, ""
