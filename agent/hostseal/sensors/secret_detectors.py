"""The detectors of detect-secrets: forms of many providers' tokens, and what only looks random.

Only their patterns are used: not its scanner, whose filters leave out what is likely no secret, and never `verify`,
which would ask the providers. Slow to import (0.1 s, 20 MB), and its patterns take as long as a text makes them: this
module is for the process that is made for it (:mod:`hostseal.sensors.diff_child`).
"""

import functools
import re
from collections.abc import Iterator
from typing import Any, cast

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.high_entropy_strings import Base64HighEntropyString, HexHighEntropyString

from hostseal.core.redaction import is_long
from hostseal.core.secret_spans import Span
from hostseal.core.secret_words import is_spoken

_NOT_SECRET = frozenset({"Public IP (ipv4)", "Basic Auth Credentials", "Private Key"})
"""No secret; and two that :mod:`hostseal.core.secret_spans` finds whole, as it does what its names tell."""
SHORT_LINE = 8
_REMEMBERED = 4096
_LONG_GROUP = 8
_RANDOM = (
    (re.compile(r"[A-Za-z0-9+/_-]{20,}=*"), Base64HighEntropyString(limit=3.5)),
    (re.compile(r"(?<![A-Za-z0-9])[0-9A-Fa-f]{16,}"), HexHighEntropyString(limit=2.5)),
)


def _forms() -> tuple[re.Pattern[str], ...]:
    found: dict[str, Any] = get_mapping_from_secret_type_to_class()
    return tuple(
        pattern
        for name, detector in sorted(found.items())
        if issubclass(detector, RegexBasedDetector) and name not in _NOT_SECRET
        for pattern in cast("tuple[re.Pattern[str], ...]", detector.denylist)
    )


_FORMS = _forms()


def detect(text: str) -> Iterator[Span]:
    """Yield the ranges of what the library holds for a secret, line by line; long lines are hidden as they are."""
    start = 0
    for line in text.split("\n"):
        if len(line) >= SHORT_LINE and not is_long(line):
            for first, last in _of_line(line):
                yield start + first, start + last
        start += len(line) + 1


@functools.lru_cache(_REMEMBERED)
def _of_line(line: str) -> tuple[Span, ...]:
    """Most lines stand in both versions, and need to be looked at once."""
    return (*_of_form(line), *_random(line))


def _of_form(line: str) -> Iterator[Span]:
    for pattern in _FORMS:
        for found in pattern.finditer(line):
            yield _secret_of(found)


def _random(line: str) -> Iterator[Span]:
    for pattern, detector in _RANDOM:
        for found in pattern.finditer(line):
            if detector.calculate_shannon_entropy(found[0]) > detector.entropy_limit and not is_spoken(
                found[0]
            ):
                yield found.span()


def _secret_of(found: re.Match[str]) -> Span:
    """Return the group that is the secret of an assignment; the whole where the groups are parts of it (`ghp`)."""
    groups = [found.span(index) for index in range(1, found.re.groups + 1) if found[index] is not None]
    first, last = max(groups, key=lambda span: span[1] - span[0], default=found.span())
    is_value = last - first >= _LONG_GROUP and last >= found.end() - 1
    return (first, last) if is_value else found.span()
