"""docs/how-to/write-a-rule.md and preview-a-policy.md, followed step by step: each file, each command, each output."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hostseal.policy import signing
from hostseal.policy.question import Question
from hostseal.policy.replay import Replayer
from hostseal.policy.serving import Source, served
from integration.cli.policies import ROOT, asked, entry

STEP = re.compile(
    r"`(?P<file>[\w./-]+)`:\n\n```(?P<kind>json|rego|yaml)\n(?P<content>.*?)^```$"
    r"|^    (?P<command>\S[^\n]*)$"
    r"|^```text\n(?P<output>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
SITE = {"automation": {"accounts": ["deploy"]}, "default": {"mode": "flag", "class": "immutable"}}
SECONDS = re.compile(r" +\d+\.\d s  .*")


def steps(page: str) -> Iterator[dict[str, str]]:
    """Yield the page's files, commands and outputs in their order."""
    text = (ROOT / "docs/how-to" / page).read_text("utf-8")
    for found in STEP.finditer(text):
        yield {name: value for name, value in found.groupdict().items() if value is not None}


def record(file: Path, questions: list[dict[str, Any]]) -> None:
    """Have a real OPA decide these questions as the packaged policies do, and write its log."""
    file.with_name("before.json").write_text(json.dumps(SITE))
    put = [Question(asks="event", input=one, where="x") for one in questions]
    with served(Source(site=file.with_name("before.json"))) as url:
        lines = [
            json.dumps(entry(number, one.question.input, one.decision))
            for number, one in enumerate(Replayer(url).ask(put))
        ]
    file.write_text("\n".join(lines))


def follow(page: str, folder: Path, statuses: dict[str, int]) -> int:
    """Do what the page says in this folder; return how many commands were run and files written."""
    done: subprocess.CompletedProcess[str] | None = None
    count = 0
    files = [step for step in steps(page) if "file" in step]
    for step in files:
        if (
            step["kind"] == "json"
        ):  # a page shows the site's data where it explains it, after it was first used
            (folder / step["file"]).write_text(step["content"])
    for step in steps(page):
        if "file" in step:
            (folder / step["file"]).write_text(step["content"])
            count += 1
        elif "command" in step:
            done = run(step["command"], folder)
            wanted = next((status for part, status in statuses.items() if part in step["command"]), 0)
            assert done.returncode == wanted, f"{step['command']}\n{done.stdout}{done.stderr}"
            count += 1
        else:
            assert done is not None
            said = [SECONDS.sub("", line).rstrip() for line in (done.stdout + done.stderr).splitlines()]
            missing = [line for line in step["output"].splitlines() if line.rstrip() not in said]
            assert missing == [], "\n".join(said)
    return count


def run(command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a page's command as a person does, with the environment's programs first."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{ROOT / '.tools/bin'}:/usr/bin:/bin",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
    }
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


@pytest.mark.timeout(900)
def test_write_a_rule(tmp_path: Path) -> None:
    (tmp_path / "policies").symlink_to(ROOT / "policies")
    (tmp_path / "keys").mkdir()
    signing.generate_key_pair(tmp_path / "keys/bundle.key", tmp_path / "keys/bundle.pub")
    came_in = [asked("session_opened_person", f"web-{number}") for number in (1, 2)]
    office = asked("session_opened_person", "web-3")
    office["event"]["data"]["source"] = "10.1.2.3"
    record(tmp_path / "decisions.jsonl", [*came_in, office, asked("agent_started", "web-1")])
    assert follow("write-a-rule.md", tmp_path, {}) == 10
    assert (tmp_path / "bundle.tar.gz").stat().st_size > 0


@pytest.mark.timeout(600)
def test_preview_a_policy(tmp_path: Path) -> None:
    kinds = ("channel_sftp", "channel_sftp", "session_closed", "agent_started")
    record(tmp_path / "month.jsonl", [asked(kind, "web-1") for kind in kinds])
    assert follow("preview-a-policy.md", tmp_path, {"--max-new-flags": 1}) == 3
