"""What a bundle is made of: rules of one's own beside Hostseal's, and none twice."""

from pathlib import Path

import pytest

from hostseal.errors import PolicyError
from hostseal.policy.packaged import policies
from hostseal.policy.sources import collect


def rule(folder: Path, name: str) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / f"{name}.rego").write_text(f"package hostseal.rules.{name}\n")
    (folder / name / f"{name}_test.rego").write_text(f"package hostseal.rules.{name}_test\n")
    return folder


def test_rules_of_ones_own_stand_beside_hostseals_without_their_tests(tmp_path: Path) -> None:
    added = collect(policies(), {}, [rule(tmp_path, "night_shift")]).keys() - collect(policies(), {}).keys()
    assert added == {"hostseal/rules/night_shift/night_shift.rego"}


def test_the_tests_come_along_when_they_are_asked_for(tmp_path: Path) -> None:
    files = collect(policies(), {}, [rule(tmp_path, "night_shift")], tests=True)
    assert "hostseal/rules/night_shift/night_shift_test.rego" in files


@pytest.mark.parametrize("file", ["interactive_session.rego", "another.rego"])
def test_a_rule_that_there_already_is_is_refused_by_name(tmp_path: Path, file: str) -> None:
    folder = tmp_path / "interactive_session"
    folder.mkdir()
    (folder / file).write_text("package hostseal.rules.interactive_session\n")
    with pytest.raises(PolicyError, match="two rules 'interactive_session'"):
        collect(policies(), {}, [tmp_path])
