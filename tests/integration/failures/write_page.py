"""Writes docs/reference/failure-matrix.md from what is observed now. Takes a minute or two."""

import tempfile
from pathlib import Path

from integration.failures.observing import Observatory
from integration.failures.page import PAGE, render

if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory(prefix="hostseal-failures-") as folder,
        Observatory(Path(folder)) as seen,
    ):
        PAGE.write_text(render(seen.rows()), "utf-8")
