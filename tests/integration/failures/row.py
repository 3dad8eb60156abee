"""One observation, in words that are the same each time."""

import dataclasses
import re
from pathlib import Path
from typing import NamedTuple

from integration.failures.faults import Address


class Row(NamedTuple):
    """What was seen of one gate while one thing was wrong."""

    happens: str
    logged: str
    later: str


@dataclasses.dataclass
class Place:
    """Where a gate is asked: a folder of its own, what is wrong, an OPA that is right again later, an authority's key."""

    folder: Path
    at: Address
    mended: Address
    authority: Path


def stable(text: str) -> str:
    """Return one line without what differs from run to run: ports, ids, addresses in memory, libraries' own details."""
    line = " ".join(text.split())
    line = re.sub(r"https?://127\.0\.0\.1:\d+", "OPA", line)
    line = re.sub(r"(\w*(?:Error|Timeout)): .*(?= \(OPA\))", r"\1", line)
    line = re.sub(r"OPA: (\w+(?:Error|Timeout)): [^)]*", r"OPA: \1", line)
    line = re.sub(r"/\S*/(?=[\w.-]+: no such file)", "", line)
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", line)
