"""docs/how-to/exempt-a-host.md, followed to the letter: its site data, its commands, and what it says of the decisions."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from e2e.test_how_to import ROOT, commands
from integration.gate.test_how_to_page import run

PAGE = "exempt-a-host.md"
TEXT = (ROOT / "docs/how-to" / PAGE).read_text("utf-8")
SAMPLES = ROOT / "tests/samples/events"


def site() -> dict[str, Any]:
    """Return the page's site data."""
    [found] = re.findall(r"^```json\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    read: dict[str, Any] = json.loads(found)
    return read


def question(sample: str, host: str) -> dict[str, Any]:
    event = json.loads((SAMPLES / f"{sample}.json").read_bytes())
    event["host"]["name"] = host
    return {"event": event, "standing": {"state": "sealed", "incident": None, "recent": []}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as the page's reader has it: the policies, and the site's data."""
    (tmp_path / "policies").symlink_to(ROOT / "policies")
    (tmp_path / "site.json").write_text(json.dumps(site()))
    return tmp_path


def decided(folder: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Do what the page says, and return the decision."""
    (folder / "question.json").write_text(json.dumps(asked))
    for command in commands(PAGE, {}):
        done = run(command, folder)
        assert done.returncode == 0, done.stderr
    decision: dict[str, Any] = json.loads(done.stdout)
    return decision


def exemptions(decision: dict[str, Any]) -> dict[str, str | None]:
    return {finding["rule"]: finding.get("exemption") for finding in decision["findings"]}


def test_the_page_exempts_web_1_and_not_web_2(folder: Path) -> None:
    excused = decided(folder, question("channel_shell", "web-1-g2"))
    assert exemptions(excused) == {"interactive_session": "EX-7"}
    assert (excused["actions"], excused["allowed"], excused["would"]) == ([], True, [])

    (folder / "site.json").write_text(
        json.dumps(site() | {"hosts": {name: {"groups": ["web"]} for name in ("web-1", "web-2")}})
    )
    flagged = decided(folder, question("channel_shell", "web-2"))
    assert exemptions(flagged) == {"interactive_session": None}
    assert flagged["actions"] == ["flag"]


@pytest.mark.parametrize(
    ("paths", "exemption"),
    [(["/etc/nginx/nginx.conf"], "EX-8"), (["/etc/nginx/nginx.conf", "/etc/passwd"], None)],
)
def test_every_changed_path_must_match(folder: Path, paths: list[str], exemption: str | None) -> None:
    asked = question("files_changed_by_program", "web-1")
    [change, *_] = asked["event"]["data"]["paths"]
    asked["event"]["data"] |= {
        "paths": [{**change, "path": path} for path in paths],
        "count": len(paths),
        "truncated": False,
    }
    decision = decided(folder, asked)
    assert exemptions(decision)["sealed_file_changed"] == exemption
    assert ("flag" in decision["actions"]) is (exemption is None)


def test_an_expired_one_is_a_finding_that_names_it_and_its_owner(folder: Path) -> None:
    (folder / "site.json").write_text(json.dumps(site()).replace("2099-", "2025-"))
    decision = decided(folder, question("channel_shell", "web-1"))
    assert exemptions(decision) == {"interactive_session": None, "exemption_expired": None}
    [said] = [
        finding["message"] for finding in decision["findings"] if finding["rule"] == "exemption_expired"
    ]
    assert said == (
        "Exemption EX-7 from the rule interactive_session ended at 2025-01-31T00:00:00Z; "
        "carol owns it: the database moves."
    )
    assert decision["actions"] == ["flag"]


@pytest.mark.parametrize("missing", ["owner", "reason", "expires"])
def test_without_owner_reason_or_end_it_is_refused(folder: Path, missing: str) -> None:
    spoilt = site()
    del spoilt["exemptions"]["interactive_session"]["host:web-1"][0][missing]
    (folder / "site.json").write_text(json.dumps(spoilt))
    build, _ = commands(PAGE, {})
    done = run(build, folder)
    assert done.returncode != 0
    assert (
        f"exemptions.interactive_session.host:web-1[0]: Object missing required field `{missing}`"
        in done.stderr
    )
