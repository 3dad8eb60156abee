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


@pytest.mark.parametrize(
    "text",
    [
        "package system.authz\n", "package hostseal.ruling\n", "package hostseal.rules\n", "# said\n\npackage hostseal.rules.person_connected\n",
        "# package hostseal.rules.night_shift\r\npackage hostseal.ruling\n", "", "allow := true\n",
        'package hostseal.rules["night_shift"]\n', "package hostseal.rules.night_shift.more\n",
    ],
)  # fmt: skip
def test_a_file_whose_package_is_not_its_folders_is_refused(tmp_path: Path, text: str) -> None:
    more = rule(tmp_path, "night_shift") / "night_shift" / "more.rego"
    more.write_text(text)
    with pytest.raises(PolicyError, match=r"not in package hostseal\.rules\.night_shift \(") as error:
        collect(policies(), {}, [tmp_path])
    assert str(more) in error.value.hint


def test_a_test_stays_in_its_own_package_too(tmp_path: Path) -> None:
    (rule(tmp_path, "night_shift") / "night_shift/more_test.rego").write_text("package hostseal.ruling\n")
    with pytest.raises(PolicyError, match=r"not in package hostseal\.rules\.night_shift_test \("):
        collect(policies(), {}, [tmp_path], tests=True)


def test_a_comment_above_the_package_and_more_files_are_taken(tmp_path: Path) -> None:
    more = rule(tmp_path, "night_shift") / "night_shift" / "more.rego"
    more.write_text("# METADATA\n# title: package of theirs\n\npackage hostseal.rules.night_shift # ours\n")
    assert "hostseal/rules/night_shift/more.rego" in collect(policies(), {}, [tmp_path])


def test_rego_beside_the_rules_folders_is_refused(tmp_path: Path) -> None:
    (tmp_path / "night_shift.rego").write_text("package hostseal.rules\n")
    with pytest.raises(PolicyError, match="not in the folder of a rule"):
        collect(policies(), {}, [tmp_path])


def test_a_link_to_a_rule_is_refused_rather_than_left_out(tmp_path: Path) -> None:
    rule(tmp_path / "elsewhere", "night_shift")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/night_shift").symlink_to(tmp_path / "elsewhere/night_shift")
    with pytest.raises(PolicyError, match="a link to a folder"):
        collect(policies(), {}, [tmp_path / "rules"])
