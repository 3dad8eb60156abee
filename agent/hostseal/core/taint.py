"""What sessions have laid on a host, and which later change comes of it. Pure values, bounded.

A tie is a guess by its nature: it says that what ran was laid by a session, never that the session's person wrote. So
what follows from it is `inferred` at best, and a session that has laid nothing is never named.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from hostseal.core.attribution import ProcessFacts, Transient
from hostseal.core.persistence import Lays
from hostseal.core.units import Unit, same_or_template

LIMIT = 256
JOBS = 64
ASKED = 64
SOON, LATE = 3.0, 1.0
"""Seconds from the start of systemd-run to the unit that it asks for, and by how much the kernel's news of it may be late."""

ASKING = frozenset({"/usr/bin/systemd-run", "/bin/systemd-run"})
CRON_UNITS = frozenset({"cron.service", "crond.service", "anacron.service"})
AT_UNIT = "atd.service"
_GONE = " (deleted)"


class Job(msgspec.Struct, frozen=True):
    """A line of a table of jobs: for whom it runs (a user's name, None where the table is a user's) and its digest.

    Of the command only the digest is kept, for a command may hold a secret.
    """

    user: str | None
    digest: str


class Laid(msgspec.Struct, frozen=True, kw_only=True):
    """One artefact and the session that wrote it last.

    `boot` and `at` (seconds since boot) say when, `sha256` what it was; `unit` is what it has systemd run, `manager` the
    uid of the user whose own manager that is (-1: every user's, -2: not known, None: the system's). `uid` is whose jobs it holds, None
    where they are several users'. `jobs` are the lines of a table; a script of a cron folder has none.
    """

    path: str
    kind: Lays
    session: Mapping[str, Any]
    boot: str
    at: float
    sha256: str | None = None
    unit: str | None = None
    manager: int | None = None
    uid: int | None = None
    jobs: tuple[Job, ...] = ()

    @property
    def name(self) -> str:
        """What tells it from another artefact, and from what was at its path before."""
        return f"{self.at:.3f} {self.path}"

    def tie(self) -> dict[str, Any]:
        """Return it as the `via` of a writer."""
        return {"kind": str(self.kind), "path": self.path, "session": dict(self.session)}


EVERYONE, NOT_KNOWN = -1, -2


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A session that has had a manager make a unit (systemd-run), when, and for which login uid."""

    session: Mapping[str, Any]
    boot: str
    at: float
    uid: int | None


class Taint(msgspec.Struct, frozen=True):
    """All that was laid and is still of concern, the oldest first; `dropped` counts what found no room any more."""

    items: tuple[Laid, ...] = ()
    dropped: int = 0
    asked: tuple[Asked, ...] = ()


def laid(taint: Taint, one: Laid) -> Taint:
    """Return the taint with one artefact more. One that is written again with the same content stays with whom it was."""
    known = find(taint, one.path)
    if known is not None and known.sha256 is not None and known.sha256 == one.sha256:
        return taint
    others = [item for item in taint.items if item.path != one.path]
    kept = (*others, one)[-LIMIT:]
    return replace(taint, items=kept, dropped=taint.dropped + len(others) + 1 - len(kept))


def asked(taint: Taint, one: Asked) -> Taint:
    """Return the taint after a session has asked a manager for a unit."""
    return replace(taint, asked=(*taint.asked, one)[-ASKED:])


def find(taint: Taint, path: str) -> Laid | None:
    """Return what is known to be laid at a path."""
    return next((item for item in taint.items if item.path == path), None)


def gone(taint: Taint, path: str) -> Taint:
    """Return the taint after a path has gone: what was laid may run still, but what comes to be there is another's."""
    items = tuple(replace(i, sha256=None) if i.path == path else i for i in taint.items)
    return replace(taint, items=items) if items != taint.items else taint


def restored(taint: Taint, path: str) -> Taint:
    """Return the taint after a path was found to be what the seal says: nothing comes of it any more."""
    return replace(taint, items=tuple(item for item in taint.items if item.path != path))


def source_of(taint: Taint, facts: ProcessFacts, boot: str) -> Laid | None:
    """Return what a process that belongs to no session comes of, as far as that can be told; None if it cannot."""
    if facts.unit is None:
        return None
    if facts.transient is not None:
        return _by_asking(taint, facts.transient, facts.unit, boot)
    if facts.unit.name in CRON_UNITS and (found := _by_cron(taint, facts)) is not None:
        return found
    if facts.unit.name == AT_UNIT and (found := _by_at(taint, facts)) is not None:
        return found
    items = [i for i in taint.items if i.unit is not None and _runs(i, facts.unit)]
    return next((i for i in reversed(items) if not _before(facts, i, boot)), None)


def _by_asking(taint: Taint, transient: Transient, unit: Unit, boot: str) -> Laid | None:
    """Return the unit as laid by the one session that was asking just then; two at a time are not told apart."""
    earliest, latest = transient.made - SOON, transient.made + LATE
    found = [
        one
        for one in taint.asked
        if one.boot == boot and earliest <= one.at <= latest and unit.user in {None, one.uid}
    ]
    if not found or any(one.session != found[0].session for one in found):
        return None
    session = found[0].session
    return Laid(
        path=transient.path, kind=Lays.UNIT, session=session, boot=boot, at=transient.made, unit=unit.name
    )


def _runs(item: Laid, unit: Unit) -> bool:
    if item.manager is None:
        return unit.user is None and same_or_template(unit.name, item.unit or "")
    return (
        unit.user is not None
        and item.manager in {unit.user, EVERYONE}
        and unit.below is not None
        and same_or_template(unit.below, item.unit or "")
    )


def _before(facts: ProcessFacts, item: Laid, boot: str) -> bool:
    """Tell whether the unit has run since before the artefact was there: it cannot come of it."""
    return item.boot == boot and facts.began is not None and facts.began < item.at


def _by_cron(taint: Taint, facts: ProcessFacts) -> Laid | None:
    """Return the table or script that a job of cron's stems from: by its command, else by whose job it is."""
    items = [item for item in reversed(taint.items) if item.kind is Lays.CRON]
    commands = set(_commands(facts))
    words = {word for process in facts.line for word in process.argv}
    for item in items:
        if item.path in words or any(job.digest in commands for job in item.jobs):
            return item
    user = facts.login_uid if facts.login_uid is not None else facts.uid
    return next((item for item in items if item.uid is not None and item.uid == user), None)


def _by_at(taint: Taint, facts: ProcessFacts) -> Laid | None:
    """Return the job that atd runs: it is the standard input of the job's shell."""
    items = [item for item in reversed(taint.items) if item.kind is Lays.AT_JOB]
    inputs = {(process.stdin or "").removesuffix(_GONE) for process in facts.line}
    found = next((item for item in items if item.path in inputs), None)
    if found is not None or any(_is_job(path) for path in inputs):
        return found
    user = facts.login_uid if facts.login_uid is not None else facts.uid
    return next((item for item in items if item.uid is not None and item.uid == user), None)


def _is_job(path: str) -> bool:
    return path.startswith(("/var/spool/cron/atjobs/", "/var/spool/at/"))


def _commands(facts: ProcessFacts) -> Iterable[str]:
    """Yield the digests of what a job's processes may have been started with: a shell hands its place to a lone command."""
    for process in facts.line:
        if len(process.argv) >= 3 and process.argv[1] == "-c":  # noqa: PLR2004 - sh -c COMMAND
            yield digest(process.argv[2])
        for first in (0, 1):
            if process.argv[first:]:
                yield digest(" ".join(process.argv[first:]))


def jobs_of(text: str, path: str) -> tuple[Job, ...]:
    """Return the jobs of a table, crontab(5) and anacrontab(5): at most :data:`JOBS`; a user's own has no user column."""
    system = path == "/etc/crontab" or path.startswith("/etc/cron.d/")
    found = []
    for line in text.splitlines():
        entry = line.strip()
        if not entry or entry.startswith("#") or re.match(r"[A-Za-z_]\w*\s*=", entry):
            continue
        before = 3 if path == "/etc/anacrontab" else 1 if entry.startswith("@") else 5
        words = entry.split(None, before + system)
        if len(words) == before + system + 1:
            user = words[before] if system else None
            found.append(Job(user, digest(_command(words[-1]))))
    return tuple(found[:JOBS])


def _command(text: str) -> str:
    r"""Return what cron hands to the shell: up to the first `%` that has no backslash before it, `\%` being one."""
    return re.split(r"(?<!\\)%", text, maxsplit=1)[0].replace("\\%", "%")


def digest(command: str) -> str:
    """Return the digest of a command."""
    return hashlib.sha256(command.encode("utf-8", "surrogateescape")).hexdigest()
