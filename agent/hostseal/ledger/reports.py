"""What agents post: events with their receipts, flags, outcomes of actions, heartbeats."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from msgspec.structs import replace

from hostseal.errors import RefusedError
from hostseal.ledger import facts
from hostseal.ledger.decision_log import refusal
from hostseal.ledger.entry import Entry

MAX_RECORDS = 1000
_MOST = 1 << 62
_Number = Annotated[int, msgspec.Meta(ge=0, lt=_MOST)]


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """How far a host is: the highest seq in its spool, the highest acknowledged one, how many wait, its boot, its standing."""

    last_seq: _Number
    done_seq: _Number
    pending: _Number
    boot_id: Annotated[str, msgspec.Meta(max_length=64)]
    standing: Annotated[str, msgspec.Meta(max_length=64)]
    version: Annotated[str, msgspec.Meta(max_length=64)] = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One posted record: which host it says it is about, and its content as it came."""

    kind: Literal["event", "flag", "action"]
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    host: str
    time: Annotated[str, msgspec.Meta(min_length=20, max_length=64)]
    body: msgspec.Raw


class Post(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agent's post. The heartbeat comes with each: what was posted is not the end of what is known."""

    host: str
    heartbeat: Heartbeat
    records: Annotated[list[Report], msgspec.Meta(max_length=MAX_RECORDS)] = []


_POST = msgspec.json.Decoder(Post)


def parse(content: bytes | bytearray) -> Post:
    """Return the post; RefusedError (400) with what is wrong."""
    try:
        post = _POST.decode(content)
        for report in post.records:
            facts.moment(report.time)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"this is not an agent's post: {error}") from error
    return post


def refused(post: Post, host: str, now: str) -> list[Entry]:
    """Return a record for each thing in the post that names another host than the token's; none when all is well."""
    found = []
    if post.host != host:
        raw = msgspec.json.encode(post.heartbeat)
        found.append(refusal(raw, host, post.host, "heartbeat", post.heartbeat.boot_id, now))
    for report in post.records:
        inner = facts.named(_event_of(_body(report)))
        for claimed in (report.host, inner):
            if claimed is not None and claimed != host:
                found.append(refusal(bytes(report.body), host, claimed, report.kind, report.id, now))
                break
    return found


def entries(reports: Iterable[Report], host: str) -> list[Entry]:
    """Return what is to be kept; RefusedError (400) when a record's content does not say what its kind needs."""
    return [_entry(report, host) for report in reports]


def _entry(report: Report, host: str) -> Entry:
    body = _body(report)
    about = facts.of_event(_event_of(body))
    entry = Entry(
        kind=report.kind,
        host=host,
        id=report.id,
        writer=f"agent@{host}",
        time=facts.moment(report.time),
        user=about.user,
        key=about.key,
        body=bytes(report.body),
    )
    match report.kind:
        case "event":
            seq, receipt = _event_of(body).get("seq"), body.get("decision_id")
            if about.id != report.id or not isinstance(seq, int) or not 0 < seq < _MOST:
                raise _bad(report, "needs an event with the same id and a seq")
            if not isinstance(receipt, str | None):
                raise _bad(report, "has a decision id that is no text")
            said = facts.rules(body.get("decision"))
            return replace(entry, type=about.type, seq=seq, rules=said, ref=receipt or "")
        case "flag":
            return replace(entry, type="policy", ref=about.id)
        case "action":
            action, incident = body.get("action"), body.get("incident")
            if not isinstance(action, str) or not isinstance(incident, str):
                raise _bad(report, "needs an action and its incident")
            return replace(entry, type=action[: facts.TERM_LENGTH], ref=incident[: facts.TERM_LENGTH])


def _body(report: Report) -> dict[str, Any]:
    body = msgspec.json.decode(report.body)
    if not isinstance(body, dict):
        raise _bad(report, "is not an object")
    return body


def _event_of(body: dict[str, Any]) -> dict[str, Any]:
    event = body.get("event")
    return event if isinstance(event, dict) else {}


def _bad(report: Report, what: str) -> RefusedError:
    return RefusedError(
        HTTPStatus.BAD_REQUEST, f"this is not an agent's post: the body of {report.kind} {report.id} {what}"
    )
