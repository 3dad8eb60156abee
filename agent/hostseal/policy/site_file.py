"""The file of the site's data, as a person writes it."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hostseal.errors import PolicyError
from hostseal.policy.sources import SITE_DATA, collect


def load(file: Path | None) -> dict[str, Any]:
    """Return the site's data, {} without a file; PolicyError names file and line where it is no JSON object."""
    if file is None:
        return {}
    try:
        data = json.loads(file.read_bytes(), object_pairs_hook=_table)
    except json.JSONDecodeError as error:
        raise PolicyError(f"not valid JSON: {error.msg}", hint=f"{file}:{error.lineno}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise PolicyError(f"the site data cannot be read: {error}", hint=str(file)) from error
    if not isinstance(data, dict):
        raise PolicyError("the site data is not a table of keys", hint=f"{file}:1")
    return data


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the table; ValueError for a key that is there twice: JSON would take the last one without a word."""
    table = dict(pairs)
    if len(table) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"{twice!r} stands twice in one table")
    return table


def check(policies: Path, file: Path | None, rules: Sequence[Path] = ()) -> Mapping[str, Any]:
    """Return the site's data when it fits these policies; PolicyError names file and key where not."""
    data = load(file)
    try:
        collect(policies, data, rules)
    except PolicyError as error:
        if error.hint != "site data":
            raise
        raise PolicyError(error.message, hint=str(file or policies / SITE_DATA)) from error
    return data
