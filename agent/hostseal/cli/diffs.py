"""The diffs of a `files.changed` event, for people: escaped, and coloured on a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from hostseal.core.text import shown

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}
_HEADS = ("--- ", "+++ ")


class Safe(str):
    """Text that is as it may go to a terminal: escaped, with our own colours. click takes those out elsewhere."""

    __slots__ = ()


def lines(change: Any) -> Iterator[Safe]:
    """Yield the lines of one path's diff, none where it has none. What is not of a diff's shape is passed over."""
    diff = change.get("diff") if isinstance(change, Mapping) else None
    if not isinstance(diff, Mapping) or not isinstance(diff.get("text"), str):
        return
    head = True
    for line in diff["text"].split("\n") if diff["text"] else ():
        head = head and line.startswith(_HEADS)
        safe = shown(line.expandtabs(4))
        yield Safe(safe if head else click.style(safe, fg=_COLOURS.get(line[:1])))
    if diff.get("cut"):
        yield Safe("(the rest is not kept)" if diff["text"] else "(a difference that could not be shown)")


def of_event(event: Mapping[str, Any]) -> Iterator[Safe]:
    """Yield the diffs of an event, each under its path."""
    data = event.get("data")
    paths = data.get("paths") if isinstance(data, Mapping) else None
    for change in paths if isinstance(paths, list) else ():
        found = list(lines(change))
        if found:
            yield Safe(shown(str(change.get("path"))))
            yield from (Safe(f"  {line}") for line in found)
