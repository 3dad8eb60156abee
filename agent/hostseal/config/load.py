"""Reads drop-ins, merges them and checks them against the settings' types."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin
from urllib.parse import urlsplit

import msgspec

from hostseal.config.by_design import BY_DESIGN, mistake
from hostseal.config.settings import Settings
from hostseal.core.by_design import ByDesign
from hostseal.errors import ConfigError

T = TypeVar("T", bound=msgspec.Struct)
DIRECTORIES = (Path("/usr/lib/hostseal/config.d"), Path("/etc/hostseal/config.d"))
POSITIVE = (
    ("opa", "timeout_seconds"), ("actions", "time_limit_seconds"), ("actions", "attempts"),
    ("files", "quiet_seconds"), ("files", "max_age_seconds"), ("files", "max_paths"),
    ("files", "diff", "max_bytes"), ("files", "diff", "store_bytes"),
    ("spool", "pending_limit"), ("spool", "kept"), ("ledger", "heartbeat_seconds"),
    ("gate", "limit_seconds"), ("gate", "revert_seconds"),
)  # fmt: skip


def drop_ins(directories: Iterable[Path] = DIRECTORIES) -> tuple[Path, ...]:
    """Return the `*.toml` files in the order they apply: by name, a later directory's file hiding its namesake."""
    found = {file.name: file for folder in directories for file in sorted(folder.glob("*.toml"))}
    return tuple(found[name] for name in sorted(found))


def load(files: Iterable[Path]) -> Settings:
    """Return the settings the files make together; raise ConfigError naming file, line, key and allowed values.

    Each file is checked by itself first, so that an error names the file that holds it.
    """
    merged: dict[str, Any] = {}
    classes: dict[str, Any] = {}
    for file in files:
        table = _read(file)
        classes |= _classes(table, file)
        _convert(table, file, Settings)
        _check(table, file)
        merged = _over(merged, table)
    if classes:
        merged["files"]["by_design"] = {**BY_DESIGN, **classes}
    return msgspec.convert(merged, Settings)


def one_file(file: Path, kind: type[T]) -> T:
    """Return the settings of another program's one file, closed type `kind`; ConfigError as :func:`load`."""
    return _convert(_read(file), file, kind)


def state_directory() -> Path:
    """Return where the agent keeps its state, for those who only read it: bad settings must not hide the record."""
    try:
        return load(drop_ins()).state
    except ConfigError:
        return Settings().state


def _over(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Return both tables, the upper one's values first, key by key in sections and in sections of sections."""
    both = {**lower, **upper}
    for key, value in upper.items():
        below = lower.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            both[key] = _over(below, value)
    return both


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not valid TOML: {error}", hint=str(file)) from error


def _classes(table: Mapping[str, Any], file: Path) -> dict[str, ByDesign]:
    """Return the table's classes of files that change by design, each by itself so that an error names it."""
    files = table.get("files")
    found = files.get("by_design") if isinstance(files, Mapping) else None
    classes = {}
    for name, entry in found.items() if isinstance(found, Mapping) else ():
        under = ("files", "by_design", name)
        classes[name] = _convert(entry, file, ByDesign, under) if isinstance(entry, Mapping) else entry
        if isinstance(entry, Mapping) and (wrong := mistake(classes[name])):
            key = (*under, wrong[0])
            raise ConfigError(f"{'.'.join(key)}: {wrong[1]}", hint=_place(file, key))
    return classes


def _convert(table: Mapping[str, Any], file: Path, kind: type[T], under: tuple[str, ...] = ()) -> T:
    """Return the table as `kind`; `under` is where in the file it stands."""
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        key = _key_of(error, table)
        raise ConfigError(
            f"{'.'.join((*under, *key))}: {_sentence(error, key, table, kind)}",
            hint=_place(file, (*under, *key)),
        ) from error


def _check(table: Mapping[str, Any], file: Path) -> None:
    for key in POSITIVE:
        value: Any = table
        for part in key:
            value = value.get(part, {}) if isinstance(value, Mapping) else value
        if isinstance(value, int | float) and value <= 0:
            raise ConfigError(f"{'.'.join(key)}: {value} is not more than 0", hint=_place(file, key))
    url = table.get("ledger", {}).get("url", "")
    if url and not _is_https(url):
        raise ConfigError(
            f"ledger.url: {url!r} is not like https://192.0.2.7:8443", hint=_place(file, ("ledger", "url"))
        )


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _key_of(error: msgspec.ValidationError, table: Mapping[str, Any]) -> tuple[str, ...]:
    path = re.search(r" - at `\$\.?([^`]*)`", str(error))
    key = tuple(p for p in re.split(r"\.|\[[^\]]*\]", path[1]) if p) if path else ()
    unknown = re.search(r"unknown field `([^`]*)`", str(error))
    return (*key, unknown[1]) if unknown else key or tuple(table)[:1]


def _sentence(
    error: msgspec.ValidationError, key: tuple[str, ...], table: Mapping[str, Any], kind: Any
) -> str:
    if "unknown field" in str(error):
        section = kind
        for part in key[:-1]:
            section = {f.name: f.type for f in msgspec.structs.fields(section)}[part]
        known = ", ".join(f.encode_name for f in msgspec.structs.fields(section))
        return f"unknown key; known here: {known}"
    value: Any = table
    for part in key:
        value = value.get(part) if isinstance(value, Mapping) else value
    choices = _choices(key, kind)
    for one in value if isinstance(value, list) else [value]:
        if choices and isinstance(one, str) and one not in choices:
            return f"{one!r} is not one of {', '.join(choices)}"
    return f"{value!r} does not fit: {str(error).split(' - at')[0].lower()}"


def _choices(key: tuple[str, ...], kind: Any) -> tuple[str, ...]:
    for part in key:
        fields = {f.encode_name: f.type for f in msgspec.structs.fields(kind)}
        if (kind := fields.get(part)) is None:
            return ()
        if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
            break
    if get_origin(kind) is tuple:
        kind = get_args(kind)[0]
    if isinstance(kind, type) and hasattr(kind, "__members__"):
        return tuple(str(member.value) for member in kind.__members__.values())
    return tuple(str(a) for a in get_args(kind) if isinstance(a, str))


def _place(file: Path, key: tuple[str, ...]) -> str:
    section = ""
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        if head := re.match(r"\s*\[\s*([^\]]+?)\s*\]", line):
            section = head[1].replace('"', "")
            if len(key) == 1 and section == key[0]:
                return f"{file}:{number}"
        name = re.match(r"\s*\"?([A-Za-z0-9_-]+)\"?\s*=", line)
        if name and key and name[1] == key[-1] and section == ".".join(key[:-1]):
            return f"{file}:{number}"
    return str(file)
