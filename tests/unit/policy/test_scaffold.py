"""A rule's first draft: whole or not at all, and never over another."""

from pathlib import Path

import pytest

from hostseal.errors import BadInputError, PolicyError
from hostseal.policy.scaffold import new


def test_a_rule_has_its_test_and_a_case(tmp_path: Path) -> None:
    written = new("night_shift", tmp_path / "rules")
    assert [str(path.relative_to(tmp_path)) for path in written] == [
        "rules/night_shift/cases/night_shift.yaml",
        "rules/night_shift/night_shift.rego",
        "rules/night_shift/night_shift_test.rego",
    ]
    assert "package hostseal.rules.night_shift\n" in written[1].read_text()
    assert "# title: Night shift\n" in written[1].read_text()
    assert list((tmp_path / "rules").iterdir()) == [tmp_path / "rules/night_shift"]


@pytest.mark.parametrize(
    "name",
    ["", "Night", "night-shift", "night shift", "1night", "night__shift", "night_", "../up", "a/b", "x" * 61,
     "night_test", "default", "input", "nächte", "night\n"],
)  # fmt: skip
def test_a_name_that_no_rule_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInputError, match="cannot be the name of a rule"):
        new(name, tmp_path / "rules")
    assert not (tmp_path / "rules").exists()


def test_a_rule_that_there_is_stays_as_it_is(tmp_path: Path) -> None:
    [_, rule, _] = new("night_shift", tmp_path)
    rule.write_text("mine")
    with pytest.raises(PolicyError, match="there already is a rule 'night_shift'"):
        new("night_shift", tmp_path)
    assert rule.read_text() == "mine"


def test_hostseals_own_rules_keep_their_names(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="there already is a rule 'sensor_lost'"):
        new("sensor_lost", tmp_path)
    assert list(tmp_path.iterdir()) == []
