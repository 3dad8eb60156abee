"""The page that says what each gate does when the policy gives no answer, made of what was observed."""

from collections.abc import Mapping
from pathlib import Path

from integration.failures.faults import FAULTS
from integration.failures.gates import GATES
from integration.failures.row import Row

PAGE = Path(__file__).parents[3] / "docs/reference/failure-matrix.md"
COMMAND = "PYTHONPATH=tests .venv/bin/python -m integration.failures.write_page"
HEAD = f"""\
# Failure matrix

What each gate does when something is wrong with the policy engine: what happens, what is logged, and how it is seen
later. Every line was observed: a real OPA, or a real port that nobody answers at, and the gate's own code
(`tests/integration/failures/`). A test makes each of these things go wrong again and fails where this page says
otherwise. To write the page anew after a change:

    {COMMAND}

No answer is neither allow nor deny: OPA down or slow, no such decision, an answer that is no decision, no bundle. Then a
gate does what its `on_failure` says, and says that it did. An input, or site data, that cannot be judged *is* answered: by
a refusal whose sentence says which part is wrong, whatever `on_failure` says. Where a good bundle was in force, OPA keeps
it when a bad one comes: that is the last line of each table.
"""


def render(rows: Mapping[tuple[str, str], Row]) -> str:
    """Return the page."""
    return "\n".join([HEAD, *(_section(gate, title, rows) for gate, (title, _) in GATES.items())])


def _section(gate: str, title: str, rows: Mapping[tuple[str, str], Row]) -> str:
    lines = [
        f"## {title}",
        "| what is wrong | what happens | what is logged | how it is seen later |",
        "|---|---|---|---|",
    ]
    for fault, (what, _) in FAULTS.items():
        cells = (what, *rows[gate, fault])
        lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return text.replace("|", r"\|") or "-"
