"""The decision log's copier: each of OPA's decisions once, whatever happens between two of its steps."""

import importlib.util
import json
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[3] / "agent/dist/libexec/decision-log"
# Stands in for journalctl: prints the entries of a file, from the one after the cursor on.
JOURNALCTL = """#!{python}
import json, pathlib, sys
after = [a.split("=", 1)[1] for a in sys.argv if a.startswith("--after-cursor=")]
for line in pathlib.Path({journal!r}).read_text().splitlines():
    if not after or json.loads(line)["__CURSOR"] > after[0]:
        print(line)
"""


@pytest.fixture
def copier(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader = SourceFileLoader("decision_log", str(SCRIPT))
    spec = importlib.util.spec_from_loader("decision_log", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


class Place:
    """A journal, the copy and the copier's state in one directory."""

    def __init__(self, top: Path, copier: ModuleType) -> None:
        self.journal, self.copy, self.state = top / "journal", top / "decisions.jsonl", top / "position.json"
        self._copier = copier
        self.journal.touch()

    def logged(self, number: int, message: Any) -> None:
        with self.journal.open("a") as journal:
            journal.write(json.dumps({"__CURSOR": f"c{number:04}", "MESSAGE": message}) + "\n")

    def run(self) -> None:
        assert self._copier.main(self.copy, self.state) == 1

    def ids(self, path: Path | None = None) -> list[str]:
        return [json.loads(line)["decision_id"] for line in (path or self.copy).read_text().splitlines()]


@pytest.fixture
def place(tmp_path: Path, copier: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path, copier)
    program = tmp_path / "bin" / "journalctl"
    program.parent.mkdir()
    program.write_text(JOURNALCTL.format(python=sys.executable, journal=str(made.journal)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return made


def decision(name: str) -> str:
    return json.dumps({"msg": "Decision Log", "decision_id": name, "input": {"text": "\x1b[31m\n"}})


def test_copies_decisions_as_they_are_and_nothing_else(place: Place) -> None:
    place.logged(1, "Starting opa.service")
    place.logged(2, json.dumps({"msg": "Bundle load failed"}))
    place.logged(3, decision("a"))
    place.logged(4, list(decision("b").encode()))
    place.logged(5, None)
    place.run()
    assert place.copy.read_text() == decision("a") + "\n" + decision("b") + "\n"
    assert place.copy.stat().st_mode & 0o777 == 0o600


def test_goes_on_where_it_stopped(place: Place) -> None:
    place.logged(1, decision("a"))
    place.run()
    place.logged(2, decision("b"))
    place.run()
    assert place.ids() == ["a", "b"]


def test_cuts_off_what_was_written_before_the_position_was(place: Place) -> None:
    place.logged(1, decision("a"))
    place.run()
    with place.copy.open("a") as copy:
        copy.write(decision("b") + "\n" + '{"torn')
    place.logged(2, decision("b"))
    place.run()
    assert place.ids() == ["a", "b"]


def test_leaves_a_rotated_file_alone_and_begins_a_new_one(place: Place) -> None:
    place.logged(1, decision("a"))
    place.run()
    rotated = place.copy.rename(place.copy.with_suffix(".1"))
    place.logged(2, decision("b"))
    place.run()
    assert (place.ids(rotated), place.ids()) == (["a"], ["b"])


def test_copies_everything_again_when_its_position_cannot_be_read(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.logged(1, decision("a"))
    place.state.write_text("{")
    place.run()
    assert place.ids() == ["a"]
    assert "unusable" in capsys.readouterr().err


def test_refuses_to_write_through_a_link(place: Place, tmp_path: Path) -> None:
    place.copy.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="Too many levels"):
        place.run()
