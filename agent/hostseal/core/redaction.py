"""Two versions of a text with the secrets taken out of both, before anything is compared. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator

from hostseal.core.secret_spans import Span, open_spans, spans
from hostseal.core.secret_words import is_spoken
from hostseal.core.text_diff import hidden

Detect = Callable[[str], Iterable[Span]]
MIN_ELSEWHERE = 6
_WORD_ELSEWHERE = 8
LONG_LINE = 2048
LONG_GAP = 100
_LONG_LINE = re.compile(rf"^(?:[^\n]{{{LONG_LINE},}}|[^\n]*[ \t]{{{LONG_GAP},}}[^\n]*)", re.MULTILINE)
_REMARK = re.compile(r"\s[#;]")
_LEFT = re.compile(r"[\w+~-]*\Z")
_RIGHT = re.compile(r"[\w+~=-]*")


def redact(
    before: str | None, after: str | None, path: bytes, detect: Detect
) -> tuple[str | None, str | None]:
    """Return both texts with every secret replaced by :func:`~hostseal.core.text_diff.hidden` and a number.

    The same secret has the same number wherever it stands in both, another one another number: the number says that it
    changed, and nothing of it. `detect` gives ranges of what a library holds for a secret. A secret that is found once
    is taken out everywhere; One over several lines leaves a number in each, so lines keep their numbers. A line of 2,048 characters or more, or with a
    hundred blanks in a row, is taken out whole: patterns take minutes for such lines, and nobody reads them.
    """
    texts = [text for text in (before, after) if text is not None]
    found = [_merged(_found(text, path, detect)) for text in texts]
    elsewhere = _elsewhere(
        value for text, ranges in zip(texts, found, strict=True) for value in _values(text, ranges)
    )
    numbers: dict[str, int] = {}
    done = iter(
        [_replaced(text, ranges, elsewhere, numbers) for text, ranges in zip(texts, found, strict=True)]
    )
    return next(done) if before is not None else None, next(done) if after is not None else None


def is_long(line: str) -> bool:
    """Tell whether :func:`redact` takes a line out whole, whatever is in it."""
    return _LONG_LINE.match(line) is not None


def _found(text: str, path: bytes, detect: Detect) -> Iterator[Span]:
    yield from (found.span() for found in _LONG_LINE.finditer(text))
    yield from spans(text, path)
    shown = open_spans(text)
    for start, stop in detect(text):
        if not any(first <= start and stop <= last for first, last in shown):
            yield _whole(text, start, stop)


def _whole(text: str, start: int, stop: int) -> Span:
    """Return the whole word around what was found: half a secret is none."""
    left = _LEFT.search(text[max(0, start - 512) : start])
    right = _RIGHT.match(text, stop)
    return start - (len(left[0]) if left else 0), right.end() if right else stop


def _merged(ranges: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, stop in sorted(ranges):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        elif start < stop:
            merged.append((start, stop))
    return merged


def _values(text: str, ranges: Iterable[Span]) -> Iterator[str]:
    for start, stop in ranges:
        yield from (line.strip() for line in text[start:stop].split("\n"))


def _elsewhere(values: Iterable[str]) -> re.Pattern[str] | None:
    """Return what matches a secret, or an odd word of one, outside its own place."""
    wanted: set[str] = set()
    for value in values:
        wanted.update(word for word in value.split() if len(word) >= _WORD_ELSEWHERE and not is_spoken(word))
        wanted |= {value, _REMARK.split(value)[0]}
    wanted = {value for value in (one.strip("\"'` \t,;") for one in wanted) if len(value) >= MIN_ELSEWHERE}
    if not wanted:
        return None
    return re.compile("|".join(map(re.escape, sorted(wanted, key=lambda value: (-len(value), value)))))


def _replaced(
    text: str, ranges: list[Span], elsewhere: re.Pattern[str] | None, numbers: dict[str, int]
) -> str:
    if elsewhere is not None:
        ranges = _merged([*ranges, *(match.span() for match in elsewhere.finditer(text))])
    parts: list[str] = []
    last = 0
    for start, stop in ranges:
        value = text[start:stop]
        tag = hidden(numbers.setdefault(value.strip(), len(numbers) + 1))
        lines = value.split("\n")
        parts += [text[last:start], "\n".join(tag if line.strip() else line for line in lines)]
        last = stop
    return "".join([*parts, text[last:]])
