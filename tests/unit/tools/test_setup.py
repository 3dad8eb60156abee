"""What makes .venv stale, which Python it gets, and what the pins must be like."""

import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

from frame import setup
from frame.places import REQUIREMENTS, ROOT
from frame.system_packages import missing
from frame.wheelhouse import source_files

PINS = sorted(REQUIREMENTS.glob("*.txt"))


def test_a_stamp_that_cannot_be_read_means_nothing_is_current(tmp_path: Path) -> None:
    stamp = tmp_path / "stamp"
    assert setup.read_stamp(stamp) == {}
    for content in ("", "{", "[]"):
        stamp.write_text(content)
        assert setup.read_stamp(stamp) == {}
    stamp.write_text(json.dumps({"project": "x"}))
    assert setup.read_stamp(stamp) == {"project": "x"}


def test_the_environment_keeps_its_python_unless_one_is_named_or_it_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(setup, "base_python", lambda: Path("/base"))
    present = {"python": sys.executable}
    assert setup.chosen_python(present, {}) == Path(sys.executable)
    assert setup.chosen_python(present, {"PYTHON": "python3.12"}) == Path("/base")
    assert setup.chosen_python({"python": "/gone"}, {}) == Path("/base")
    assert setup.chosen_python({}, {}) == Path("/base")


def test_missing_packages_keep_their_order() -> None:
    assert missing(["gcc", "tmux", "dbus"], {"tmux"}) == ["gcc", "dbus"]


def test_the_own_wheel_is_made_from_code_and_policies_without_leavings() -> None:
    names = {str(file.relative_to(ROOT)) for file in source_files(ROOT)}
    assert {"pyproject.toml", "agent/hostseal/__init__.py"} <= names
    assert not [name for name in names if "__pycache__" in name]


@pytest.mark.parametrize("pins", PINS, ids=lambda file: file.name)
def test_each_pin_is_exact_and_hashed_and_names_no_address(pins: Path) -> None:
    text = pins.read_text()
    assert "://" not in text
    assert "index-url" not in text
    entries = text.replace("\\\n", " ").splitlines()
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==[^ ]+ .*--hash=sha256:[0-9a-f]{64}", entry), entry


def test_what_the_package_declares_is_what_is_pinned() -> None:
    def names(lines: list[str]) -> set[str]:
        return {re.split(r"[^A-Za-z0-9-]", line)[0] for line in lines if line and not line.startswith("#")}

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {"runtime": project["dependencies"], **project["optional-dependencies"]}
    for name, lines in declared.items():
        assert names(lines) == names((REQUIREMENTS / f"{name}.in").read_text().splitlines())
