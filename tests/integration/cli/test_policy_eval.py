"""`hostseal policy eval`: what is decided, and who says so, who was kept from it, and what was held back."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hostseal.trial import opa_child
from integration.cli.policies import SITE, asked, entry, event, hostseal

SHELL = "alice (key SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE) from 192.0.2.7 opened an interactive shell."


def site(folder: Path, **changes: Any) -> Path:
    file = folder / "site.json"
    file.write_text(json.dumps({**SITE, **changes}))
    return file


def evaluated(*arguments: object) -> dict[str, Any]:
    done = hostseal("policy", "eval", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_page_says_what_is_decided_and_which_rule_says_why(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event("channel_shell", "web-1")))
    done = hostseal("policy", "eval", file, "--site", site(tmp_path), "--explain", "sealed_file_changed")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:6] == [
        "question    event, web-1",
        "allowed     no",
        f"violation   {SHELL}",
        "actions     flag",
        "deadline    86400 s",
        f"fired       interactive_session (high): {SHELL}",
    ]
    assert lines[6] == "            asks to flag"
    [first, *_, last] = [line for line in lines if "/sealed_file_changed.rego:" in line]
    assert first.startswith("trace")
    assert "Fail" in last
    excluded = hostseal("policy", "eval", file, "--explain", "seal_broken").stdout.splitlines()
    assert excluded[-1].startswith("trace       no line is reached")


def test_a_rule_that_is_off_one_that_is_exempt_and_what_is_held_back(tmp_path: Path) -> None:
    file = tmp_path / "input.yaml"
    file.write_text(json.dumps(asked("channel_shell", "lab-1")))
    shell = {"id": "E-1", "owner": "carol", "reason": "a move", "expires": "2027-01-01T00:00:00Z"}
    off = evaluated(file, "--site", site(tmp_path, rules={"interactive_session": {"enabled": False}}))
    assert [(one["rule"], one["voice"], one["because"]) for one in off["rules"]] == [
        ("interactive_session", "switched off", "rules.interactive_session.enabled is false")
    ]
    assert off["decision"]["findings"] == []
    exempt = evaluated(
        file, "--site", site(tmp_path, exemptions={"interactive_session": {"host:lab-1": [shell]}})
    )
    [one] = exempt["rules"]
    assert (one["voice"], exempt["held"]) == ("exempt", [])
    assert one["because"] == "E-1 for host:lab-1, by carol until 2027-01-01T00:00:00Z: a move"
    held = evaluated(file, "--site", site(tmp_path))
    assert held["held"] == [{"action": "flag", "because": "the host's mode is observe"}]


def test_one_entry_of_a_decision_log_is_named_by_its_id(tmp_path: Path) -> None:
    log = tmp_path / "decisions.jsonl"
    entries = [entry(number, asked("channel_shell", f"web-{number}"), {}) for number in range(3)]
    log.write_text("\n".join(map(json.dumps, entries)))
    assert evaluated(log, "--id", entries[2]["decision_id"])["about"] == "web-2"
    for given, said in ((("--id", "nobody"), "there is no decision nobody"), ((), "more than one question")):
        done = hostseal("policy", "eval", log, *given)
        assert (done.returncode, said in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("content", "given", "status", "said"),
    [
        ("{}", (), 2, "this is none of the questions"),
        ("[", (), 2, "this is not JSON"),
        ("", (), 2, "there is no question"),
        (json.dumps(asked("channel_shell", "web-1")), ("--explain", "seal"), 2, "there is no rule 'seal' about this"),
        (json.dumps(asked("channel_shell", "web-1")), ("--bundle", "policies/.manifest"), 1, ".manifest is no bundle"),
    ],
)  # fmt: skip
def test_what_cannot_be_decided_says_why(
    tmp_path: Path, content: str, given: tuple[str, ...], status: int, said: str
) -> None:
    file = tmp_path / "input.json"
    file.write_text(content)
    done = hostseal("policy", "eval", file, *given)
    assert (done.returncode, said in done.stderr) == (status, True), done.stderr


def test_names_that_nobody_vouches_for_do_no_harm_on_a_terminal(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event("channel_hostile", "web\x1b[2J")))
    done = hostseal("policy", "eval", file)
    assert r"web\x1b[2J" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_bundle_that_asks_the_network_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "policy.rego").write_text(
        'package hostseal.event\ndecision := http.send({"method": "GET", "url": "http://127.0.0.1:1"})\n'
    )
    bundle, file = tmp_path / "foreign.tar.gz", tmp_path / "event.json"
    subprocess.run(
        [opa_child.find(), "build", "--bundle", tmp_path, "--output", bundle], check=True, timeout=60
    )
    file.write_text(json.dumps(event("channel_shell", "web-1")))
    done = hostseal("policy", "eval", file, "--bundle", bundle)
    assert done.returncode == 1
    assert "foreign.tar.gz is no bundle, or uses what no policy may" in done.stderr
    assert "http.send" in done.stderr
