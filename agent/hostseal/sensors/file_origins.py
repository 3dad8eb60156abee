"""To whom a change belongs, as far as it is known while the change is read: later a session may be over."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from hostseal.core.attribution import UNKNOWN, ProcessFacts, WriterKey, WriterKind, key_of
from hostseal.core.change_set import What
from hostseal.core.persistence import kind_of
from hostseal.core.taint import ASKING, Laid
from hostseal.core.verdict import Sealed, Verdict
from hostseal.sensors.file_writer import Executed
from hostseal.sensors.laying import Laying

REMEMBERED = 1024
_TAKEN_AWAY = frozenset({What.DELETED.value, What.RENAMED.value})
Sessions = Callable[[int], Mapping[str, Any] | None]
_T = TypeVar("_T")


class Origins:
    """The sessions and the laid artefacts that writers go by. Written to by the thread that reads, read by others."""

    def __init__(self, sessions: Sessions, laying: Laying | None, tell: Executed | None) -> None:
        """`tell` is told of executed programs too."""
        self._sessions, self._laying, self._tell = sessions, laying, tell
        self._known: dict[str, Mapping[str, Any]] = {}
        self._sources: dict[str, Laid] = {}
        self._process: ProcessFacts | None = None
        self._writer = UNKNOWN

    def writer(self, process: ProcessFacts | None) -> WriterKey:
        """Return the writer. A session is looked up at once, for it may be over when the change set closes."""
        if process is not self._process:
            self._process, self._writer = process, self._key_of(process)
        return self._writer

    def executed(self, facts: ProcessFacts) -> None:
        """Take the news that a program was executed: it may have a unit made at run time."""
        if self._laying is not None and facts.exe in ASKING and facts.audit_session is not None:
            session = self._sessions(facts.audit_session)
            if session is not None:
                self._laying.executed(facts, session)
        if self._tell is not None:
            self._tell(facts)

    def wrote(self, key: WriterKey, changes: Iterable[tuple[bytes, str]]) -> None:
        """Note what a session, or what one had laid, lays with changes of paths, and what is taken away by anybody."""
        if self._laying is None:
            return
        source = self._sources.get(key.via) if key.via is not None else None
        session = self.session(key) if source is None else source.session
        for path, what in changes:
            if what in _TAKEN_AWAY:
                self._laying.went(path)
            if session is not None:
                self._laying.wrote(path, session)

    def session(self, key: WriterKey) -> Mapping[str, Any] | None:
        """Return the session that a writer is."""
        return self._known.get(key.name) if key.kind is WriterKind.SESSION else None

    def tie(self, key: WriterKey) -> Mapping[str, Any] | None:
        """Return what ties a writer to a session that is not its own."""
        source = self._sources.get(key.via or "")
        return None if source is None else source.tie()

    def save(self) -> None:
        """Put what was laid on disk. SpoolError."""
        if self._laying is not None:
            self._laying.save()

    def lays(self, path: bytes) -> str | None:
        """Return what kind of artefact is at a path, None for any other file."""
        return kind_of(path) if self._laying is None else self._laying.lays(path)

    def judged(self, verdicts: Iterable[tuple[bytes, Verdict]]) -> None:
        """Forget what was laid at paths that are as the seal says again."""
        for path, verdict in verdicts:
            if self._laying is not None and verdict.seal is Sealed.TOUCHED:
                self._laying.restored(path)

    def _key_of(self, process: ProcessFacts | None) -> WriterKey:
        audit = process.audit_session if process is not None else None
        session = self._sessions(audit) if audit is not None else None
        if session is not None:
            _keep(self._known, str(audit), session)
        key = key_of(process, in_session=str(audit) in self._known)
        if process is None or self._laying is None or key.kind is not WriterKind.EXECUTABLE:
            return key
        source = self._laying.source_of(process)
        if source is None:
            return key
        _keep(self._sources, source.name, source)
        return key_of(process, in_session=False, via=source.name)


def _keep(table: dict[str, _T], name: str, value: _T) -> None:
    if name not in table and len(table) >= REMEMBERED:
        table.pop(next(iter(table)))
    table[name] = value
