"""Inputs that nobody wrote down: made from a schema, and spoilt in each place in turn."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hostseal.core.text import shown

Path = tuple[str | int, ...]

HOSTILE = 'x"\n%s{}\u202e\x00' + "y" * 100
"""Text as an attacker would name a file: quotes, a line break, a format, and what turns a terminal around."""
_GONE = object()
_TEXTS = (
    "x",
    "2026-01-02T03:04:05.000000Z",
    "0" * 32,
    "0" * 64,
    f"sha256:{'0' * 64}",
    f"SHA256:{'A' * 43}",
    "00000000-0000-5000-8000-000000000001",
)


def examples(schema: Mapping[str, Any]) -> Iterator[Any]:
    """Yield a valid value for each variant that a JSON schema (draft 7) has at its top, or one key further down."""
    for whole in schema.get("anyOf", [schema]):
        plain = _resolved(whole, schema)
        properties = plain.get("properties", {})
        for key, value in properties.items():
            for variant in _resolved(value, schema).get("anyOf", [])[1:]:
                yield {**_example(plain, schema), key: _example(variant, schema)}
        yield _example(plain, schema)


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        found: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    return schema


def _example(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    schema = _resolved(schema, root)
    if "const" in schema or "enum" in schema:
        return schema.get("const", next(iter(schema.get("enum", ())), None))
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return _example(schema[several][0], root)
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {key: _example(value, root) for key, value in schema.get("properties", {}).items()}
    if kind == "array":
        return [_example(schema["items"], root)] if isinstance(schema.get("items"), dict) else []
    if kind == "string":
        return next((text for text in _TEXTS if re.search(schema.get("pattern", ""), text)), "x")
    return {"boolean": True, "null": None}.get(kind, max(schema.get("minimum", 1), 1))


def spoilt(value: Any, limit: int) -> Iterator[tuple[str, Any]]:
    """Yield `value` with one place spoilt, at most `limit` times and all over it: what was done, and the whole.

    A place is taken out, becomes null, another type, another truth, or hostile text.
    """
    ways = [(path, way) for path in _paths(value, ()) for way in _ways(_at(value, path))]
    times = min(limit, len(ways))
    for number in range(times):
        path, way = ways[(2 * number + 1) * len(ways) // (2 * times)]
        yield f"{_words(path)} {_said(way)}", _with(value, path, way)


def _paths(value: Any, above: Path) -> Iterator[Path]:
    pairs: Sequence[tuple[str | int, Any]] = ()
    if isinstance(value, Mapping):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value[:2]))
    for key, below in pairs:
        yield (*above, key)
        yield from _paths(below, (*above, key))


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def _ways(value: Any) -> tuple[Any, ...]:
    if isinstance(value, bool):
        return _GONE, None, not value, "yes"
    if isinstance(value, str):
        return _GONE, None, 0, HOSTILE, {}
    if isinstance(value, int | float):
        return _GONE, None, "0", -1
    others: tuple[Any, ...] = (None, "x", [])
    return _GONE, *(way for way in others if way != value)


def _with(value: Any, path: Path, way: Any) -> Any:
    step, rest = path[0], path[1:]
    changed: Any = dict(value) if isinstance(value, Mapping) else list(value)
    if rest:
        changed[step] = _with(value[step], rest, way)
    elif way is _GONE:
        del changed[step]
    else:
        changed[step] = way
    return changed


def _words(path: Path) -> str:
    return ".".join(str(step) for step in path)


def _said(way: Any) -> str:
    return "taken out" if way is _GONE else f"= {shown(repr(way))[:40]}"
