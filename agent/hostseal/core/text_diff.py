"""A unified diff of two versions of a text file, bounded, safe on a terminal. Pure; masking is its caller's."""

import difflib
import re
from collections.abc import Iterator

import msgspec

CONTEXT = 3
BINARY_SHARE = 0.1
NOTHING = "/dev/null"
_LINE_LIMIT = 2000
_SEEN = re.compile(r"\x00(\d+)\x00")
_CONTROL = re.compile("[\x01-\x06\x0b\x0e-\x1a\x1c-\x1f\x7f-\x9f\udc80-\udcff]")
_ODD = re.compile(r"[^\n\t\x20-\x7e]")
_UNENDED = "\n\\ No newline at end of file"


class Bounds(msgspec.Struct, frozen=True):
    """How much text one diff may be: lines, and bytes of UTF-8."""

    lines: int = 400
    size: int = 16 << 10


class TextDiff(msgspec.Struct, frozen=True):
    """`masked`: how often a tag stands in `text` for a secret. `cut`: there is more than `text` shows."""

    text: str
    masked: int
    cut: bool


def text_of(content: bytes) -> str | None:
    r"""Return a file's content as text, None when it is not text.

    Text has no NUL, and at most a tenth of it is control characters or not UTF-8; bytes that are not become `\xNN`.
    What terminals are told by (ESC, BEL, backspace) does not count: a text that has them is one to be seen.
    """
    if b"\0" in content:
        return None
    text = content.decode("utf-8", "surrogateescape")
    odd = len(_CONTROL.findall(text))
    if odd > len(text) * BINARY_SHARE:
        return None
    return content.decode("utf-8", "backslashreplace") if odd else text


def hidden(number: int) -> str:
    """Return what stands for the secret of that number in texts given to :func:`unified`; no text has a NUL."""
    return f"\0{number}\0"


def unified(before: str | None, after: str | None, bounds: Bounds) -> TextDiff | None:
    """Return the difference, None when there is none. None for a side means that there was, or is, no file.

    `cut` at the first line beyond the bounds, so what is shown is whole lines; a line beyond 2,000 characters is
    shortened, and counts as cut too. Characters that do not print are written as escapes, but for the tab.
    """
    if before == after:
        return None
    lines = difflib.unified_diff(
        _lines(before),
        _lines(after),
        fromfile="before" if before is not None else NOTHING,
        tofile="after" if after is not None else NOTHING,
        lineterm="",
        n=CONTEXT,
    )
    shown: list[str] = []
    size = masked = 0
    cut = False
    for raw in _each(lines):
        line, tags = _shown(raw[:_LINE_LIMIT])
        size += len(line.encode()) + 1
        if len(shown) >= bounds.lines or size > bounds.size:
            return TextDiff("\n".join(shown), masked, cut=True)
        cut = cut or len(raw) > _LINE_LIMIT
        shown.append(line)
        masked += tags
    return TextDiff("\n".join(shown), masked, cut)


def _lines(text: str | None) -> list[str]:
    """Return the lines; one that does not end with a newline differs from one that does."""
    if not text:
        return []
    lines = text.split("\n")
    last = lines.pop()
    return [*lines, last + _UNENDED] if last else lines


def _each(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield from line.split("\n")


def _shown(raw: str) -> tuple[str, int]:
    """Return a line as it is shown, and how many tags are in it. A tag that the file itself had is no tag."""
    parts = _SEEN.split(raw.rpartition("\0")[0] if raw.count("\0") % 2 else raw)
    text = "".join(f"<masked {part}>" if index % 2 else _escaped(part) for index, part in enumerate(parts))
    return text, len(parts) // 2


def _escaped(text: str) -> str:
    return _ODD.sub(_escape, text).replace("<masked ", "\\x3cmasked ")


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
