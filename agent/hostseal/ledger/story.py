"""Why was this host replaced? The ledger's records of one host, told in order. Pure: records in, a story out.

What a record holds is a host's word, and the host may be in bad hands: any shape is read, and what comes first in the chain
counts, not what claims to be early or late.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from hostseal.ledger.entry import Kind, Record
from hostseal.ledger.facts import at

# As many of a host's newest records are looked at: a host in bad hands may write without end.
RECORDS = 20_000
_FLAG = "flag"
_SEEN = ("session.opened", "session.channel", "files.changed", "sensor.lost", "operator.flagged")


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """Who came, from where, with which key. `connection` is sshd's own word: addresses and ports."""

    time: str
    user: str
    source: str | None
    key: str | None
    certificate: dict[str, Any] | None
    audit_session: int | None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A rule's sentence."""

    rule: str
    severity: str
    sentence: str
    controls: tuple[str, ...]
    exemption: str | None


class Chapter(msgspec.Struct, frozen=True, kw_only=True):
    """One event with the decision on it. `logged`: OPA's own log of that decision has reached the ledger, too."""

    time: str
    event: str
    type: str
    data: dict[str, Any]
    decision: str | None
    revision: str | None
    logged: bool
    findings: tuple[Finding, ...]
    actions: tuple[str, ...]


class Playbook(msgspec.Struct, frozen=True, kw_only=True):
    """One playbook that was run on the host."""

    time: str
    action: str
    state: str
    attempts: int
    error: str | None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a replacement."""

    time: str
    step: str
    why: str


class Replacement(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the host. `evidence` is the digest of the archive that was kept of it."""

    token: str
    evidence: str
    successor: dict[str, Any]
    steps: tuple[Step, ...]


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """One incident of one host, from the key press to the new host. Times are RFC 3339.

    `position` and `since` (the ledger's time) are of the first record that belongs to it.
    """

    host: str
    incident: str
    cause: str
    raised: str
    deadline: str | None
    reasons: tuple[str, ...]
    position: int
    since: str
    login: Login | None
    chapters: tuple[Chapter, ...]
    playbooks: tuple[Playbook, ...]
    pardons: tuple[str, ...]
    replacements: tuple[Replacement, ...]


def tell(records: Sequence[Record], incident: str | None = None) -> Story | None:
    """Return the story of one host's incident, its newest when none is named; None when there is no such flag.

    `records` are all of the host's, in the chain's order.
    """
    flags = [one for one in records if one.kind == Kind.FLAG and incident in {None, one.id}]
    if not flags:
        return None
    flag = flags[-1]
    events = [one for one in records if one.kind == Kind.EVENT and one.type in _SEEN]
    opening = _opening(flag, events)
    first = opening or next(_raising(flag, events), flag)
    told = [one for one in events if one.position >= first.position and _belongs(one, flag, opening)]
    logged = {one.id: one for one in records if one.kind == Kind.DECISION}
    reasons = at(flag.body, "reasons")
    return Story(
        host=flag.host,
        incident=flag.id,
        cause=flag.type,
        raised=flag.time,
        deadline=_text(flag.body, "deadline"),
        reasons=tuple(str(reason) for reason in reasons) if isinstance(reasons, list) else (),
        position=first.position,
        since=first.received,
        login=None if opening is None else _login(opening),
        chapters=tuple(_chapter(one, logged) for one in told),
        playbooks=tuple(_playbook(one) for one in records if one.kind == Kind.ACTION and one.ref == flag.id),
        pardons=tuple(_pardons(records, flag.id)),
        replacements=tuple(_replacements(records, flag.id)),
    )


def _opening(flag: Record, events: Sequence[Record]) -> Record | None:
    """Return the login that the flag goes back to: the first opening of the session of the event that raised it."""
    session = _session(flag) or next(
        (found for one in _raising(flag, events) if (found := _session(one))), None
    )
    openings = (one for one in events if one.type == "session.opened" and _session(one) == session)
    return None if session is None else next(openings, None)


def _raising(flag: Record, events: Iterable[Record]) -> Iterator[Record]:
    return (one for one in events if one.id == flag.ref)


def _belongs(one: Record, flag: Record, opening: Record | None) -> bool:
    return (
        one.id == flag.ref
        or _FLAG in _texts(one.body, "decision", "actions")
        or (opening is not None and _session(one) == _session(opening))
    )


def _session(record: Record) -> tuple[str, int] | None:
    """Return boot and audit session of a record's event, where it has them."""
    data = at(record.body, "event", "data")
    holders = (at(data, "writer", "session"), at(data, "session"), data)
    audit = next((found for one in holders if isinstance(found := at(one, "audit_session"), int)), None)
    boot = _text(record.body, "event", "host", "boot_id")
    return None if audit is None or boot is None else (boot, audit)


def _login(opening: Record) -> Login:
    data = at(opening.body, "event", "data")
    certificate, audit = at(data, "key", "certificate"), at(data, "audit_session")
    return Login(
        time=opening.time,
        user=_text(data, "user") or "",
        source=_text(data, "source"),
        key=_text(data, "key", "fingerprint"),
        certificate=certificate if isinstance(certificate, dict) else None,
        audit_session=audit if isinstance(audit, int) else None,
    )


def _chapter(one: Record, logged: dict[str, Record]) -> Chapter:
    entry, data = logged.get(one.ref), at(one.body, "event", "data")
    bundles = at(entry.body, "bundles") if entry else None
    revisions = (
        [_text(bundle, "revision") for bundle in bundles.values()] if isinstance(bundles, dict) else []
    )
    findings = at(one.body, "decision", "findings")
    return Chapter(
        time=one.time,
        event=one.id,
        type=one.type,
        data=data if isinstance(data, dict) else {},
        decision=one.ref or None,
        revision=", ".join(revision for revision in revisions if revision) or None,
        logged=entry is not None,
        findings=tuple(_finding(found) for found in findings) if isinstance(findings, list) else (),
        actions=_texts(one.body, "decision", "actions"),
    )


def _finding(found: Any) -> Finding:
    return Finding(
        rule=_text(found, "rule") or "",
        severity=_text(found, "severity") or "",
        sentence=_text(found, "message") or "",
        controls=_texts(found, "controls"),
        exemption=_text(found, "exemption"),
    )


def _playbook(one: Record) -> Playbook:
    attempts = at(one.body, "attempts")
    return Playbook(
        time=_text(one.body, "finished") or one.time,
        action=one.type,
        state=_text(one.body, "state") or "",
        attempts=attempts if isinstance(attempts, int) else 0,
        error=_text(one.body, "error"),
    )


def _pardons(records: Iterable[Record], incident: str) -> Iterator[str]:
    for one in records:
        applied = at(one.body, "event", "data") if one.type == "flag.pardoned" else None
        recorded = one.body if one.kind == Kind.PARDON else None
        for said in (applied, recorded):
            if at(said, "incident") == incident:
                yield f"{_text(said, 'person')}: {_text(said, 'reason')}"


def _replacements(records: Iterable[Record], incident: str) -> Iterator[Replacement]:
    attempts: dict[str, list[Record]] = {}
    for one in records:
        if one.kind == Kind.REPLACEMENT and at(one.body, "incident") == incident:
            attempts.setdefault(str(at(one.body, "token")), []).append(one)
    for token, steps in attempts.items():
        last = steps[-1].body
        yield Replacement(
            token=token,
            evidence=str(last.get("evidence")),
            successor=last.get("successor") or {},
            steps=tuple(
                Step(time=one.time, step=one.type, why=str(one.body.get("why") or "")) for one in steps
            ),
        )


def _text(value: Any, *path: str) -> str | None:
    found = at(value, *path)
    return found if isinstance(found, str) else None


def _texts(value: Any, *path: str) -> tuple[str, ...]:
    found = at(value, *path)
    return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()
