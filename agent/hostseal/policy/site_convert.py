"""Site data into its types, with errors that name the key and what is allowed there."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import NoneType
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec
from msgspec import UnsetType

from hostseal.errors import PolicyError

T = TypeVar("T")
_ANY = "..."  # msgspec's own word for "under some key of a table"


def convert(value: Any, kind: type[T], where: str = "") -> T:
    """Return the value as `kind`; raise PolicyError that names the key, `where` before it, and what is allowed there."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at ")
        steps = [name or number for name, number in re.findall(r"\.(\w+)|\[(\d+|\.\.\.)\]", place)]
        if _ANY in steps:
            _blame(value, kind, steps[: steps.index(_ANY)], where)
        if place.startswith("`key`"):
            what = f"a name in it: {what}"
        raise wrong(path(where, *steps), f"{what}{_allowed(kind, steps)}") from error


def wrong(key: str, what: str) -> PolicyError:
    """Return the error about one key of the site's data."""
    return PolicyError(f"{key or 'the site data'}: {what}", hint="site data")


def path(*steps: str) -> str:
    """Return the key at the end of these steps, as errors name it: `hosts.web-1.groups[0]`."""
    return "".join(f"[{step}]" if step.isdigit() else f".{step}" for step in steps if step).lstrip(".")


def _blame(value: Any, kind: Any, steps: Sequence[str], where: str) -> None:
    """Raise for that entry of a table which is wrong: msgspec does not say which one it is."""
    entries = value
    for step in steps:
        entries = entries[int(step) if step.isdigit() else step]
    entry_kind = _kind_at(kind, [*steps, _ANY])
    for name, entry in entries.items() if isinstance(entries, Mapping) else ():
        convert(entry, entry_kind, f"{path(where, *steps)}.{name}")


def _kind_at(kind: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            fields = msgspec.structs.fields(kind)
            kind = next(field.type for field in fields if field.encode_name == step)
        else:
            kind = get_args(kind)[1 if get_origin(kind) is dict else 0]
        kind = _plain(kind)
    return kind


def _plain(kind: Any) -> Any:
    if get_origin(kind) is Annotated:
        return kind
    options = [one for one in get_args(kind) if one not in {UnsetType, NoneType}]
    return options[0] if len(options) == 1 < len(get_args(kind)) else kind


def _allowed(kind: Any, steps: Sequence[str]) -> str:
    """Say which keys or values there are at the end of the path."""
    found = _kind_at(kind, steps)
    if isinstance(found, type) and issubclass(found, StrEnum):
        return f"; allowed: {', '.join(found)}"
    if isinstance(found, type) and issubclass(found, msgspec.Struct):
        keys = (field.encode_name for field in msgspec.structs.fields(found))
        return f"; allowed keys: {', '.join(keys)}"
    return ""
