"""Which apt sources an image is baked from."""

from pathlib import Path

import pytest

from lab import sources
from lab.errors import LabError


def test_a_file_that_carries_the_suite_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = tmp_path / "my.sources"
    chosen.write_text("Types: deb\nURIs: http://mirror.invalid/debian\nSuites: bookworm\n", encoding="ascii")
    monkeypatch.setenv(sources.OVERRIDE, str(chosen))
    assert sources.source_files() == [chosen]


@pytest.mark.parametrize(
    "text", ["", "# deb http://mirror.invalid/debian bookworm main\n", "Suites: trixie\n"]
)
def test_without_the_suite_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    chosen = tmp_path / "my.list"
    chosen.write_text(text, encoding="ascii")
    monkeypatch.setenv(sources.OVERRIDE, str(chosen))
    with pytest.raises(LabError, match=f"carries Debian's bookworm\n  set {sources.OVERRIDE}"):
        sources.source_files()
