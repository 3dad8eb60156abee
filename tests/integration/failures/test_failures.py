"""Each thing that can go wrong with the policy engine is made to, at each gate; the page says just what is seen."""

import re
from collections.abc import Iterator

import pytest

from integration.failures.faults import FAULTS
from integration.failures.gates import GATES
from integration.failures.observing import Observatory
from integration.failures.page import COMMAND, PAGE, render

# One of them alone makes all go wrong, one after the other.
pytestmark = pytest.mark.timeout(900)
UNANSWERED = ("down", "slow", "undefined", "malformed", "no_bundle", "bad_signature")
MAY_GO_ON = ("login_flag", "play_allow")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observatory]:
    with Observatory(tmp_path_factory.mktemp("failures")) as observatory:
        yield observatory


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("gate", GATES)
def test_what_is_seen_stands_on_the_page(seen: Observatory, gate: str, fault: str) -> None:
    section = PAGE.read_text("utf-8").partition(f"## {GATES[gate][0]}\n")[2].partition("\n## ")[0]
    [line] = [line for line in section.splitlines() if line.startswith(f"| {FAULTS[fault].title} |")]
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[2:-1]]
    row = [cell.replace("|", r"\|") or "-" for cell in seen.row(gate, fault)]
    assert cells == row, f"to write the page anew: {COMMAND}"


def test_the_page_has_nothing_else(seen: Observatory) -> None:
    assert PAGE.read_text("utf-8") == render(seen.rows()), f"to write the page anew: {COMMAND}"


@pytest.mark.parametrize("fault", UNANSWERED)
def test_without_an_answer_nothing_is_allowed_but_by_the_sites_own_word(
    seen: Observatory, fault: str
) -> None:
    happens = {gate: seen.row(gate, fault).happens for gate in GATES}
    assert happens["health"] == ("in order" if fault in {"undefined", "malformed"} else "not in order")
    assert ("sensor.lost" in seen.row("health", fault).later) is (happens["health"] == "not in order")
    assert happens["event"].startswith("stays spooled, undecided")
    assert happens["login_deny"].startswith("refused")
    assert happens["play_refuse"] == "refused; nothing was changed"
    assert happens["play_check"] == "neither allowed nor refused"
    assert happens["replace"].startswith("nothing is done")
    assert happens["grant"] == "no certificate is made"
    assert [happens[gate] for gate in MAY_GO_ON] == ["admitted", "goes on and changes the host"]
    assert "flag" in seen.row("login_flag", fault).later
    assert "warns" in seen.row("play_allow", fault).logged


def test_what_cannot_be_judged_is_refused_whatever_on_failure_says(seen: Observatory) -> None:
    for gate in set(GATES) - {"health", "event"}:
        row = seen.row(gate, "unjudged")
        assert not row.happens.startswith(("admitted", "goes on", "a certificate is", "replaced")), gate
        assert "cannot be judged: " in f"{row.happens} {row.logged}", gate
    assert "nothing is done" in seen.row("event", "unjudged").happens


@pytest.mark.parametrize("gate", GATES)
def test_an_old_bundle_decides_as_before(seen: Observatory, gate: str) -> None:
    assert seen.row(gate, "stale").happens == seen.row(gate, "none").happens
