"""The demo's timeline: one line for each thing that happened, with the seconds since the start."""

import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

COLOURS = {
    "lab": "cyan",
    "person": "bold yellow",
    "seen": "white",
    "OPA": "magenta",
    "ansible": "blue",
    "flag": "bold red",
}
COLOURS |= {
    "check": "green",
    "gate": "bold red",
    "fleet": "cyan",
    "ledger": "green",
    "web": "white",
    "seal": "green",
}
_WIDTH = 140
_STAMP, _WHO = 9, 7


class MissingError(Exception):
    """Something the demo promises was not observed."""


class Timeline:
    """Prints lines as they come, and shows that something slow is still going on."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self.console = Console(record=True, width=_WIDTH, highlight=False, soft_wrap=False)

    def say(self, who: str, what: str) -> None:
        """Print one line; `what` is shown as it is, never as markup."""
        stamp = Text(f"{time.monotonic() - self._start:7.2f} s", "dim")
        line = Table.grid(padding=(0, 2, 0, 0))
        line.add_column(width=_STAMP, no_wrap=True)
        line.add_column(width=_WHO, no_wrap=True)
        line.add_column(overflow="fold")
        line.add_row(stamp, Text(who, COLOURS.get(who, "")), Text(what))
        self.console.print(line)

    def plain(self, text: str, *, hanging: int = 0) -> None:
        """Print text without a time, below the words of the other lines; what is too long goes on `hanging` further in."""
        indent = " " * (_STAMP + _WHO + 4)
        for line in text.splitlines():
            folded = textwrap.wrap(
                line, _WIDTH, initial_indent=indent, subsequent_indent=indent + " " * hanging,
                drop_whitespace=True, break_on_hyphens=False,
            )  # fmt: skip
            self.console.print(Text("\n".join(folded)))

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Show `what` and the seconds it takes, while it takes them; then one line that says how long."""
        began = time.monotonic()
        if self.console.is_terminal:
            with Live(_Ticker(what, began), console=self.console, transient=True, refresh_per_second=4):
                yield
        else:
            self.say("lab", f"{what} ...")
            yield
        self.say("lab", f"{what}: {time.monotonic() - began:.1f} s")

    def save(self, picture: Path) -> None:
        """Write what was printed as an SVG."""
        picture.write_text(self.console.export_svg(title="make demo"), "utf-8")


class _Ticker:
    def __init__(self, what: str, began: float) -> None:
        self._what, self._began = what, began

    def __rich__(self) -> Text:
        return Text(f"          {self._what} ... {time.monotonic() - self._began:.0f} s", style="dim")
