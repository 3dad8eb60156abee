"""Site data on exemptions: what is excused, by whom, why and until when."""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from hostseal.policy.site_convert import wrong
from hostseal.policy.site_shape import Name, Shape

Pattern = Annotated[str, Meta(pattern="^/")]
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)
_LAST_YEAR = 2261
"""OPA counts nanoseconds in 64 bits: it cannot compare a later date, and the exemption would never hold."""
_GENERATION = re.compile(r"-g[0-9]+$", re.ASCII)


class Exemption(Shape, frozen=True, kw_only=True):
    """Findings of one rule that ask for nothing until `expires`, for which `owner` answers.

    `paths` are globs: `*` stays within a folder, `**` does not. With them a change is exempted only if each of its paths matches.
    """

    id: Name
    owner: Name
    reason: Annotated[str, Meta(pattern=r"\S")]
    expires: Name
    paths: Annotated[tuple[Pattern, ...], Meta(min_length=1)] | UnsetType = UNSET


Exemptions = dict[Name, dict[Name, tuple[Exemption, ...]]]


def check(exemptions: Exemptions, hosts: Collection[str], groups: Collection[str]) -> None:
    """Raise PolicyError for what is exempted and not defined, for a date that is none, and for a glob that is none."""
    for rule, by_subject in exemptions.items():
        for subject, entries in by_subject.items():
            key = f"exemptions.{rule}.{subject}"
            _check_subject(key, subject, hosts, groups)
            for number, one in enumerate(entries):
                _check_date(f"{key}[{number}].expires", one.expires)
                for place, pattern in enumerate(one.paths or ()):
                    _check_glob(f"{key}[{number}].paths[{place}]", pattern)


def check_rules(named: Mapping[str, Collection[str]], rules: Collection[str]) -> None:
    """Raise PolicyError for a name under one of these keys that is no rule's."""
    for key, names in named.items():
        for name in names:
            if name not in rules:
                raise wrong(f"{key}.{name}", f"there is no such rule{_meant(name, rules)}")


def _check_subject(key: str, subject: str, hosts: Collection[str], groups: Collection[str]) -> None:
    kind, _, name = subject.partition(":")
    if kind == "host" and name:
        if name not in hosts and _GENERATION.sub("", name) not in hosts:
            raise wrong(key, f"{name!r} is not one of hosts{_meant(name, hosts)}")
    elif kind == "group" and name:
        if name not in groups:
            raise wrong(key, f"{name!r} is not one of groups{_meant(name, groups)}")
    elif subject != "all" and not (kind == "user" and name):
        raise wrong(key, f"{subject!r} is not like host:NAME, group:NAME, user:NAME or all")


def _check_date(key: str, date: str) -> None:
    if not _is_date(date):
        raise wrong(key, f"{date!r} is not a date like 2027-01-31T00:00:00Z (RFC 3339, in UTC)")
    if datetime.fromisoformat(date).year > _LAST_YEAR:
        raise wrong(key, f"{date!r} is later than {_LAST_YEAR}, which is as far as OPA can compare dates")


def _is_date(text: str) -> bool:
    try:
        return _DATE.fullmatch(text) is not None and datetime.fromisoformat(text).tzinfo is UTC
    except ValueError:
        return False


def _check_glob(key: str, pattern: str) -> None:
    plain = re.sub(r"\\.", "", pattern)
    if "\\" in plain:
        raise wrong(key, f"{pattern!r} is not a glob: nothing follows the last `\\`")
    if any(plain.count(opening) != plain.count(closing) for opening, closing in ("[]", "{}")):
        raise wrong(
            key, f"{pattern!r} is not a glob: a bracket or brace is open; `\\` before one means it itself"
        )


def _meant(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; is {close[0]} meant?" if close else ""
