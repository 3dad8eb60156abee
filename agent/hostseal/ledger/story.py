"""Why was this host replaced? The ledger's records of one host, told in order. Pure: records in, a story out."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from hostseal.ledger.entry import Kind, Record

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
    """One incident of one host, from the key press to the new host. Times are RFC 3339."""

    host: str
    incident: str
    cause: str
    raised: str
    deadline: str | None
    reasons: tuple[str, ...]
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
    since = opening.time if opening else min((one.time for one in _raising(flag, events)), default=flag.time)
    told = [one for one in events if one.time >= since and _belongs(one, flag, opening)]
    logged = {one.id: one for one in records if one.kind == Kind.DECISION}
    body = flag.body
    return Story(
        host=flag.host,
        incident=flag.id,
        cause=flag.type,
        raised=flag.time,
        deadline=body.get("deadline"),
        reasons=tuple(body.get("reasons") or ()),
        since=since,
        login=None if opening is None else _login(opening),
        chapters=tuple(_chapter(one, logged) for one in told),
        playbooks=tuple(_playbook(one) for one in records if one.kind == Kind.ACTION and one.ref == flag.id),
        pardons=tuple(_pardons(records, flag.id)),
        replacements=tuple(_replacements(records, flag.id)),
    )


def _opening(flag: Record, events: Sequence[Record]) -> Record | None:
    """Return the login that the flag goes back to: the session of the event that raised it."""
    session = _session(_event(flag)) or next(
        (found for one in _raising(flag, events) if (found := _session(_event(one)))), None
    )
    for one in reversed(events):
        if one.type == "session.opened" and session is not None and _session(_event(one)) == session:
            return one
    return None


def _raising(flag: Record, events: Iterable[Record]) -> Iterator[Record]:
    return (one for one in events if one.id == flag.ref)


def _belongs(one: Record, flag: Record, opening: Record | None) -> bool:
    session = None if opening is None else _session(_event(opening))
    return (
        one.id == flag.ref
        or _FLAG in (_decision(one).get("actions") or ())
        or (session is not None and _session(_event(one)) == session)
    )


def _session(event: dict[str, Any]) -> tuple[str, int] | None:
    """Return boot and audit session of an event, where it has them."""
    data = event.get("data") or {}
    holder = (data.get("writer") or {}).get("session") or data.get("session") or data
    audit = holder.get("audit_session") if isinstance(holder, dict) else None
    boot = (event.get("host") or {}).get("boot_id")
    return (str(boot), audit) if isinstance(audit, int) else None


def _login(opening: Record) -> Login:
    data = _event(opening).get("data") or {}
    key = data.get("key") or {}
    return Login(
        time=opening.time,
        user=str(data.get("user", "")),
        source=data.get("source"),
        key=key.get("fingerprint"),
        certificate=key.get("certificate"),
        audit_session=data.get("audit_session"),
    )


def _chapter(one: Record, logged: dict[str, Record]) -> Chapter:
    decision, entry = _decision(one), logged.get(one.ref)
    bundles = (entry.body.get("bundles") or {}) if entry else {}
    revisions = [str(bundle.get("revision")) for bundle in bundles.values() if isinstance(bundle, dict)]
    return Chapter(
        time=one.time,
        event=one.id,
        type=one.type,
        data=_event(one).get("data") or {},
        decision=one.ref or None,
        revision=", ".join(revisions) or None,
        logged=entry is not None,
        findings=tuple(
            Finding(
                rule=str(found.get("rule")),
                severity=str(found.get("severity")),
                sentence=str(found.get("message")),
                controls=tuple(found.get("controls") or ()),
            )
            for found in decision.get("findings") or ()
        ),
        actions=tuple(decision.get("actions") or ()),
    )


def _playbook(one: Record) -> Playbook:
    body = one.body
    return Playbook(
        time=str(body.get("finished") or one.time),
        action=one.type,
        state=str(body.get("state")),
        attempts=int(body.get("attempts") or 0),
        error=body.get("error"),
    )


def _pardons(records: Iterable[Record], incident: str) -> Iterator[str]:
    for one in records:
        data = _event(one).get("data") or {}
        if one.type == "flag.pardoned" and data.get("incident") == incident:
            yield f"{data.get('person')}: {data.get('reason')}"


def _replacements(records: Iterable[Record], incident: str) -> Iterator[Replacement]:
    attempts: dict[str, list[Record]] = {}
    for one in records:
        if one.kind == Kind.REPLACEMENT and one.body.get("incident") == incident:
            attempts.setdefault(str(one.body.get("token")), []).append(one)
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


def _event(record: Record) -> dict[str, Any]:
    event = record.body.get("event") if isinstance(record.body, dict) else None
    return event if isinstance(event, dict) else {}


def _decision(record: Record) -> dict[str, Any]:
    decision = record.body.get("decision")
    return decision if isinstance(decision, dict) else {}
