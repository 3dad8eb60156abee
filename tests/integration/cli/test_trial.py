"""`hostseal agent run --trial DIR`: the first look, as a person takes it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

HOSTSEAL = Path(sys.executable).with_name("hostseal")


def until(look: Callable[[], bool], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)  # the pace of looking; the deadline decides


def seen(probe: Path, output: Path) -> bool:
    """Touch a file; tell whether the watch, which begins a moment after the agent, sees such."""
    probe.write_text("x")
    return "type=files.changed" in output.read_text()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_trial_sees_decides_flags_and_ends_cleanly(tmp_path: Path, ending: signal.Signals) -> None:
    watched, state, output = tmp_path / "watched", tmp_path / "state", tmp_path / "output"
    watched.mkdir()
    with output.open("wb") as sink:
        trial = subprocess.Popen(
            [HOSTSEAL, "agent", "run", "--trial", watched, "--state", state],
            stdout=sink,
            stderr=subprocess.STDOUT,
            env={**os.environ, "HOME": str(tmp_path)},
        )
    try:
        until(lambda: "type=agent.started" in output.read_text(), "the agent's start")
        until(lambda: seen(watched / "probe", output), "the watch")
        deep = watched / "a" / "b"
        deep.mkdir(parents=True)
        (deep / "{{ lookup('pipe','touch pwned') }}\x1b[31m").write_text("x")
        Path(os.fsdecode(os.fsencode(watched) + b"/\xff\n")).write_text("x")
        until(
            lambda: output.read_text().count("type=files.changed actions=flag") > 1, "the changes' decision"
        )
        until(lambda: "action.done" in output.read_text(), "the flag")
    finally:
        trial.send_signal(ending)
        assert trial.wait(30) == 0
    text = output.read_text()
    assert "\x1b" not in text
    assert "Standing: flagged" in text
    assert json.loads((state / "published/fact.json").read_text())["flagged"] is True
    shown = subprocess.run(
        [HOSTSEAL, "log", "--json", "--state", state], capture_output=True, text=True, check=True, timeout=30
    )
    records = [json.loads(line) for line in shown.stdout.splitlines()]
    paths = [p for r in records if r["kind"] == "event" for p in r["event"]["data"].get("paths", [])]
    assert any("lookup('pipe'" in path["path"] for path in paths)
    assert any(path["raw"] for path in paths)
    assert not list(tmp_path.rglob("pwned"))
    logged = [
        json.loads(line)
        for line in (state / "decisions.jsonl").read_text().splitlines()
        if "decision_id" in line
    ]
    known = {entry["decision_id"]: entry["input"]["event"]["id"] for entry in logged}
    decided = {r["decision_id"]: r["event"]["id"] for r in records if r.get("decision_id")}
    assert decided.items() <= known.items()
    assert set(known.values()) <= {r["event"]["id"] for r in records if r["kind"] == "event"}


def test_a_state_inside_the_watched_directory_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [HOSTSEAL, "agent", "run", "--trial", tmp_path, "--state", tmp_path / "state"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 1
    assert "may not lie in the watched directory" in done.stderr
