"""docs/reference/site-data.md says of each key of the site's data what it is, and what it is by default."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
import pytest

from hostseal.policy.site import Site
from hostseal.policy.site_convert import plain

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/site-data.md").read_text("utf-8")
DEFAULTS = json.loads((ROOT / "policies/hostseal/site/data.json").read_bytes())
NAMED = "NAME"


def keys(kind: Any, above: str = "") -> Iterator[str]:
    """Yield each key that a type has, `NAME` for one that a site chooses."""
    kind = plain(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for field in msgspec.structs.fields(kind):
            yield from keys(field.type, f"{above}.{field.encode_name}".lstrip("."))
    elif get_origin(kind) is dict:
        yield from keys(get_args(kind)[1], f"{above}.{NAMED}")
    elif get_origin(kind) is tuple and isinstance(get_args(kind)[0], type(msgspec.Struct)):
        yield from keys(get_args(kind)[0], f"{above}[]")
    else:
        yield above


def rows() -> Iterator[tuple[list[str], str]]:
    """Yield the keys of each row of the page's tables with its default."""
    for line in PAGE.splitlines():
        if line.startswith("| `"):
            named, default = line.strip("| ").split(" | ")[:2]
            yield re.findall(r"`([^`]+)`", named), default.strip("` ")


def default_of(key: str) -> Any:
    found = DEFAULTS
    for step in key.split("."):
        found = found[step]
    return found


def test_each_key_is_told_of_once() -> None:
    told = [key for named, _ in rows() for key in named]
    assert sorted(told) == sorted(keys(Site))


def test_each_default_is_the_one_that_the_policies_have() -> None:
    for named, default in rows():
        for key in named:
            if default == "none":
                with pytest.raises(KeyError):
                    default_of(key)
            else:
                assert json.loads(default) == default_of(key), key
