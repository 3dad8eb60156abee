"""Tables as wide as the terminal, of text that nobody vouches for."""

import shutil
from collections.abc import Sequence

import click

from hostseal.core.text import shown

_WITHOUT_TERMINAL = 120
_GAP = 2


def echo_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print the rows below their heading; what does not fit is folded within its column."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    width = shutil.get_terminal_size((_WITHOUT_TERMINAL, 24)).columns
    console = Console(width=width, color_system=None, highlight=False, legacy_windows=False)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=True, header_style="")
    for name in head:
        table.add_column(Text(name), overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(cell)) for cell in row))
    with console.capture() as captured:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))
