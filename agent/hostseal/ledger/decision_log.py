"""OPA's decision log, as OPA posts it: a JSON array of entries (openpolicyagent.org, Decision Logs)."""

import hashlib
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Any

import msgspec

from hostseal.errors import RefusedError
from hostseal.ledger import facts
from hostseal.ledger.entry import Entry, Kind

_KEPT_OF_REFUSED = 1 << 16
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class _Shape(msgspec.Struct, frozen=True, gc=False):
    """What an entry must have. Checked for the whole batch before anything is kept of it."""

    decision_id: _Id
    timestamp: Annotated[str, msgspec.Meta(min_length=20, max_length=64)]


_SHAPES = msgspec.json.Decoder(list[_Shape])
_ENTRIES = msgspec.json.Decoder(list[msgspec.Raw])


def entries(content: bytes | bytearray, host: str) -> Iterator[Entry]:
    """Yield the batch's entries for the host whose token it came with.

    One that names another host becomes a record of kind `refusal`. Answering with an error instead would not do:
    OPA would send the same batch again for ever, and everything after it would wait behind.
    RefusedError (400), before the first is yielded, when the batch is not of the decision log's shape.
    """
    try:
        for shape in _SHAPES.decode(content):
            facts.moment(shape.timestamp)
        raws = _ENTRIES.decode(content)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"this is not a decision log: {error}") from error
    return (_entry(bytes(raw), host) for raw in raws)


def _entry(raw: bytes, host: str) -> Entry:
    entry = msgspec.json.decode(raw)
    question = entry.get("input")
    event = question.get("event") if isinstance(question, dict) else None
    about = facts.of_event(event)
    claimed = about.host if about.host is not None else facts.named(question)
    if claimed is not None and claimed != host:
        return refusal(
            raw, host, claimed, Kind.DECISION, entry["decision_id"], facts.moment(entry["timestamp"])
        )
    return Entry(
        kind=Kind.DECISION,
        type=about.type or str(entry.get("path", ""))[: facts.TERM_LENGTH],
        host=host,
        id=entry["decision_id"],
        writer=f"opa@{host}",
        time=facts.moment(entry["timestamp"]),
        user=about.user,
        key=about.key,
        rules=facts.rules(entry.get("result")),
        ref=about.id,
        body=raw,
    )


def refusal(raw: bytes, host: str, claimed: str, kind: str, name: str, time: str) -> Entry:
    """Return the record that `host` wanted to write about the host `claimed`; it keeps the beginning of what it was."""
    kept: dict[str, Any] = {
        "host": host,
        "claimed": claimed[: facts.TERM_LENGTH],
        "kind": kind,
        "id": name,
        "sha256": hashlib.sha256(raw).hexdigest(),
        "content": raw[:_KEPT_OF_REFUSED].decode("utf-8", "replace"),
    }
    return Entry(
        kind=Kind.REFUSAL,
        type=kind,
        host=host,
        id=f"{kind}:{name}:{kept['sha256'][:32]}",
        writer="ledger",
        time=time,
        ref=name,
        body=msgspec.json.encode(kept),
    )
