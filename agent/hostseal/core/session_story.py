"""One SSH session out of a host's record: who, from where, what was done, what was decided. Pure: records in, a story out.

A record is an event with its decision as `hostseal log --json` shows it; a run is a playbook's.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from hostseal.errors import SessionError

Record = Mapping[str, Any]
CHOICES = 10


class SessionName(msgspec.Struct, frozen=True, kw_only=True):
    """What tells sessions apart on one host: audit session ids begin anew with each boot."""

    boot_id: str
    audit_session: int


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A session in one line; `opened` is the event's id. What was not recorded is None."""

    name: SessionName
    user: str
    source: str | None
    logind_session: str | None
    event: str
    since: str
    until: str | None
    channels: tuple[str, ...]
    actions: tuple[str, ...]


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """A decision about one event of the session that said or asked something."""

    time: str
    about: str
    id: str | None
    actions: tuple[str, ...]
    would: tuple[str, ...]
    findings: tuple[dict[str, Any], ...]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A playbook's run that an event of the session caused."""

    time: str
    action: str
    incident: str
    state: str
    attempts: int
    error: str | None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the session, but for the session's own data."""

    time: str
    id: str
    type: str
    data: dict[str, Any]


class LaidPath(msgspec.Struct, frozen=True, kw_only=True):
    """A path that the session wrote and that has something run, or lets somebody in, later: a job, a unit, a key."""

    time: str
    path: str
    kind: str


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """All that the host's record holds of one session. `commands` is None where no commands were recorded.

    `came_of`: later changes by what it had laid, which are a guess and not its own.
    """

    name: SessionName
    host: str
    session: dict[str, Any]
    opened: str | None
    closed: str | None
    channels: tuple[Told, ...]
    privilege: tuple[Told, ...]
    changes: tuple[Told, ...]
    laid: tuple[LaidPath, ...]
    came_of: tuple[Told, ...]
    commands: tuple[Told, ...] | None
    left_behind: tuple[Told, ...]
    others: tuple[Told, ...]
    decisions: tuple[Decided, ...]
    runs: tuple[Run, ...]


def name_of(event: Record) -> SessionName | None:
    """Return the session an event belongs to, None when it belongs to none that the kernel numbered."""
    session = _session(event["data"])
    audit = session.get("audit_session")
    return (
        SessionName(boot_id=event["host"]["boot_id"], audit_session=audit) if isinstance(audit, int) else None
    )


def summaries(records: Iterable[Record]) -> list[Summary]:
    """Return all sessions, the oldest first."""
    found: dict[SessionName, Summary] = {}
    for record in records:
        event = record["event"]
        name = name_of(event)
        if name is not None:
            found[name] = _added(found.get(name), name, event, record["decision"] or {})
    return list(found.values())


def choose(sessions: Iterable[Summary], wanted: str, events: Mapping[str, SessionName]) -> Summary:
    """Return the one session named by its audit session id, one of its event ids or its logind id.

    `events` gives the session of each event's id. Raises SessionError when there is none, or several: its hint lists them.
    """
    known = list(sessions)
    found = [
        s
        for s in known
        if wanted in {str(s.name.audit_session), s.logind_session, s.event} or events.get(wanted) == s.name
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        raise SessionError(f"no session {wanted} is on record here", hint="hostseal session list")
    choices = "; ".join(f"{s.event} ({s.user} from {s.source}, {s.since})" for s in found[-CHOICES:])
    raise SessionError(f"{wanted} names {len(found)} sessions", hint=f"use an event's id: {choices}")


def tell(name: SessionName, records: Iterable[Record], runs: Iterable[Record]) -> Story:
    """Return the story of one session; records of others are passed over."""
    kept = [r for r in records if name_of(r["event"]) == name or _tied(r["event"]["data"]) is not None]
    own = [record for record in kept if name_of(record["event"]) == name]
    events = [record["event"] for record in own]
    identities = {event["id"] for event in events}
    told = [_told(event) for event in events]
    commands = _of(told, "session.commands")
    session = dict(_best(events))
    return Story(
        name=name,
        host=events[0]["host"]["name"] if events else "",
        session=session,
        opened=next((event["time"] for event in events if event["type"] == "session.opened"), None),
        closed=next((event["time"] for event in reversed(events) if event["type"] == "session.closed"), None),
        channels=_of(told, "session.channel"),
        privilege=_of(told, "session.privilege"),
        changes=_of(told, "files.changed"),
        laid=tuple(_laid(told)),
        came_of=tuple(_told(r["event"]) for r in kept if _comes_of(r["event"]["data"], session)),
        commands=commands or None,
        left_behind=_of(told, "session.left_behind"),
        others=tuple(one for one in told if one.type not in _NAMED),
        decisions=tuple(_decided(record) for record in own if _says(record["decision"])),
        runs=tuple(_run(run) for run in runs if run["event"] in identities),
    )


_NAMED = frozenset(
    {
        "session.opened", "session.closed", "session.channel", "session.privilege", "files.changed",
        "session.commands", "session.left_behind",
    }
)  # fmt: skip


_IDENTITY = ("user", "audit_session", "leader_pid", "connection")


def _session(data: Record) -> Record:
    """Return a session's data, from wherever an event's data holds it."""
    for place in (data.get("session"), (data.get("writer") or {}).get("session"), data):
        if isinstance(place, Mapping):
            return place
    return {}


def _added(known: Summary | None, name: SessionName, event: Record, decision: Record) -> Summary:
    session, kind = _session(event["data"]), event["type"]
    before = known or Summary(
        name=name, user=session.get("user") or "", source=session.get("source"),
        logind_session=session.get("logind_session"), event=event["id"], since=event["time"], until=None,
        channels=(), actions=(),
    )  # fmt: skip
    channel = (event["data"]["kind"],) if kind == "session.channel" else ()
    actions = tuple(action for action in decision.get("actions", ()) if action not in before.actions)
    return msgspec.structs.replace(
        before,
        logind_session=before.logind_session or session.get("logind_session"),
        until=event["time"] if kind == "session.closed" else before.until,
        channels=(*before.channels, *channel),
        actions=(*before.actions, *actions),
    )


def _best(events: list[Record]) -> Record:
    """Return the session's data from its opening, else from the first event that has it."""
    openings = [event for event in events if event["type"] == "session.opened"]
    return next((_session(event["data"]) for event in (*openings, *events)), {})


def _told(event: Record) -> Told:
    data = {key: value for key, value in event["data"].items() if key != "session"}
    if isinstance(data.get("writer"), Mapping):
        data["writer"] = {key: value for key, value in data["writer"].items() if key != "session"}
    return Told(time=event["time"], id=event["id"], type=event["type"], data=data)


def _laid(told: Iterable[Told]) -> Iterable[LaidPath]:
    for one in _of(told, "files.changed"):
        for path in one.data["paths"]:
            if path.get("lays") and path["what"] != ["deleted"]:
                yield LaidPath(time=one.time, path=path["path"], kind=path["lays"])


def _tied(data: Record) -> Record | None:
    """Return the session that laid what wrote, None where no such tie was made."""
    tied: Record | None = ((data.get("writer") or {}).get("via") or {}).get("session")
    return tied


def _comes_of(data: Record, session: Record) -> bool:
    """Tell whether an event's writer is tied to this session; audit ids begin anew with each boot, connections do not."""
    tied = _tied(data)
    return bool(session) and tied is not None and all(tied.get(key) == session.get(key) for key in _IDENTITY)


def _of(told: Iterable[Told], kind: str) -> tuple[Told, ...]:
    return tuple(one for one in told if one.type == kind)


def _says(decision: Record | None) -> bool:
    return decision is not None and bool(decision["actions"] or decision.get("would") or decision["findings"])


def _decided(record: Record) -> Decided:
    decision = record["decision"]
    return Decided(
        time=record["decided"] or record["event"]["time"],
        about=record["event"]["type"],
        id=record["decision_id"],
        actions=tuple(decision["actions"]),
        would=tuple(decision.get("would") or ()),
        findings=tuple(decision["findings"]),
    )


def _run(run: Record) -> Run:
    return Run(
        time=run["finished"] or run["created"],
        action=run["action"],
        incident=run["incident"],
        state=run["state"],
        attempts=run["attempts"],
        error=run["error"],
    )
