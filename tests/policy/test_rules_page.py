"""The library of rules as a product: what each rule says of itself, and the page that is made from that."""

import json
import re
from pathlib import Path

import msgspec
import pytest

import rules_page
from hostseal.policy.site import Site

RULES = rules_page.rules()
CONTROL = re.compile(
    r"NIST [A-Z]{2}-\d{1,2}(\(\d{1,2}\))?|PCI \d{1,2}\.\d{1,2}(\.\d{1,2})*|CIS \d{1,2}\.\d{1,2}|SOC2 CC\d\.\d"
)
FRAMEWORKS = {"NIST", "PCI", "CIS", "SOC2"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_says_what_it_is_and_which_controls_it_serves(rule: rules_page.Rule) -> None:
    assert rule.title
    assert rule.description.endswith(".")
    assert rule.severity in {"low", "medium", "high", "critical"}
    assert [control for control in rule.controls if not CONTROL.fullmatch(control)] == []
    assert {control.split()[0] for control in rule.controls} == FRAMEWORKS


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_is_tuned_by_keys_that_there_are(rule: rules_page.Rule) -> None:
    assert set(rule.tuning) <= {field.name for field in msgspec.structs.fields(Site)}


def test_every_rule_that_is_off_is_a_rule() -> None:
    site = json.loads(rules_page.SITE.read_bytes())
    assert set(site["rules"]) <= {rule.name for rule in RULES}


def test_the_page_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert rules_page.main(["--check"]) == 0, capsys.readouterr().err


def test_a_page_that_is_not_current_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    stale = tmp_path / "rules.md"
    stale.write_text(rules_page.PAGE.read_text().replace("`weak_key`", "`strong_key`"))
    monkeypatch.setattr(rules_page, "PAGE", stale)
    monkeypatch.setattr(rules_page, "ROOT", tmp_path)
    assert rules_page.main(["--check"]) == 1
    assert capsys.readouterr().err == "rules.md is not what the rules say: run `make rules-page`\n"
