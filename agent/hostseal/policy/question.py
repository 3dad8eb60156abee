"""What the policies were asked, or are to be asked: out of a decision log, the ledger, a case, or a bare input."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from hostseal.errors import BadInputError

ENTRY_POINTS = {
    "event": "hostseal/event/decision",
    "login": "hostseal/login/decision",
    "play": "hostseal/play/decision",
    "replace": "hostseal/replace/decision",
    "break_glass": "hostseal/break_glass/decision",
}
"""Where the decisions are made, by the word for what is asked."""

_WORDS = {path: word for word, path in ENTRY_POINTS.items()}
SEALED = {"state": "sealed", "incident": None}


class NotAskedError(BadInputError):
    """What was read is not a question that the policies decide; `kind` says in two words what it is."""

    def __init__(self, kind: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.kind = kind


def not_whole(question: "Question", lost: tuple[str, ...]) -> NotAskedError:
    """Return why a question cannot be asked again, of which the log has not kept what is read."""
    return NotAskedError(
        "masked", f"its input is not whole: {', '.join(lost[:3])} masked", hint=question.where
    )


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question. `decision` is what was decided (by which `id`), or is wanted; `over` is a case's `site` and `bundle` data.

    `masked` are JSON pointers to what the log has not kept of the input.
    """

    asks: str
    input: dict[str, Any]
    where: str
    id: str | None = None
    decision: Any = None
    over: Mapping[str, Any] | None = None
    masked: tuple[str, ...] = ()

    @property
    def host(self) -> str | None:
        """The host it is about; None for a play, which is about many."""
        match self.input:
            case {"event": {"host": {"name": str(name)}}} | {"replace": {"host": {"name": str(name)}}}:
                return name
            case {"break_glass": {"grant": {"host": str(name)}}}:
                return name
        return None

    @property
    def about(self) -> str:
        """What it is about, in words: the host, who wants to get in there, or the play."""
        match self.input:
            case {"login": _, "event": {"data": {"user": str(user)}}} if self.host:
                return f"{user}@{self.host}"
            case {"break_glass": {"grant": {"user": str(user)}}} if self.host:
                return f"{user}@{self.host}"
            case {"play": {"name": str(name)}} | {"job_template": {"name": str(name)}} | {"name": str(name)}:
                return name
        return self.host or "not named"


def read(value: Any, where: str, folder: Path | None = None) -> Question:
    """Return the question in `value` (parsed JSON or YAML); a case's sample lies beside `folder`, where it was found.

    NotAskedError when it is none, or when its input is not whole.
    """
    if not isinstance(value, dict):
        raise NotAskedError("malformed", "this is not an object", hint=where)
    if "decision_id" in value:
        return _logged(value, where)
    if {"kind", "body"} <= value.keys():
        if value["kind"] != "decision":
            raise NotAskedError("other records", "this record of the ledger is no decision", hint=where)
        return read(value["body"], where)
    if "sample" in value or {"input", "decision"} <= value.keys():
        return _case(value, where, folder)
    return bare(value, where)


def bare(value: dict[str, Any], where: str, asks: str | None = None) -> Question:
    """Return the question of an input as it is, or of an event; `asks` says which entry point is meant."""
    if isinstance(value.get("input"), dict) and "event" not in value:
        value = value["input"]
    if {"type", "host", "data"} <= value.keys() and "event" not in value:
        value = {"event": value, "standing": SEALED}
    found = asks or _entry_point(value)
    if found is None:
        known = ", ".join(ENTRY_POINTS)
        raise NotAskedError("malformed", f"this is none of the questions {known}", hint=where)
    return Question(asks=found, input=value, where=where)


def _logged(entry: dict[str, Any], where: str) -> Question:
    path = str(entry.get("path", "")).strip("/").replace(".", "/")
    asks = _WORDS.get(path)
    if asks is None:
        raise NotAskedError("other questions", f"{path or 'a query'} is not an entry point", hint=where)
    touched = [*_pointers(entry, "erased"), *_pointers(entry, "masked")]
    if any(pointer.startswith("/result") for pointer in touched):
        raise NotAskedError("masked", "its decision is masked", hint=where)
    if not isinstance(entry.get("input"), dict):
        raise NotAskedError("malformed", "it has no input", hint=where)
    return Question(
        asks=asks,
        input=entry["input"],
        where=where,
        id=str(entry["decision_id"]),
        decision=entry.get("result"),
        masked=tuple(pointer for pointer in touched if pointer.startswith("/input")),
    )


def _pointers(entry: dict[str, Any], key: str) -> list[str]:
    found = entry.get(key)
    return [str(one) for one in found] if isinstance(found, list) else []


def _case(case: dict[str, Any], where: str, folder: Path | None) -> Question:
    if "sample" in case:
        asked: dict[str, Any] = {"event": _sample(case["sample"], where, folder)}
    elif isinstance(case["input"], dict):
        asked = dict(case["input"])
    else:
        raise NotAskedError("malformed", "the case's input is not an object", hint=where)
    if "event" in asked:
        asked.setdefault("standing", SEALED)
        if "standing" in case:
            asked["standing"] = case["standing"]
        if "host" in case and isinstance(asked["event"], dict):
            host = asked["event"].get("host")
            named = {**(host if isinstance(host, dict) else {}), "name": case["host"]}
            asked["event"] = {**asked["event"], "host": named}
    asks = case.get("asks") or _entry_point(asked)
    if not isinstance(asks, str) or asks not in ENTRY_POINTS:
        raise NotAskedError("malformed", "the case's input is no question", hint=where)
    over = {key: case[name] for key, name in (("site", "data"), ("bundle", "bundle")) if case.get(name)}
    return Question(asks=asks, input=asked, where=where, decision=case.get("decision"), over=over or None)


def _sample(name: Any, where: str, folder: Path | None) -> Any:
    file = (folder or Path()).parent / "samples/events" / f"{name}.json"
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise NotAskedError("malformed", f"the case's sample cannot be read: {error}", hint=where) from error


def _entry_point(asked: Mapping[str, Any]) -> str | None:
    if "event" in asked:
        return "login" if "login" in asked else "event"
    if "play" in asked or {"playbook", "job_type"} <= asked.keys():
        return "play"
    return next((word for word in ("replace", "break_glass") if word in asked), None)
