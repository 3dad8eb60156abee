"""kill -9 between any two steps: nothing is lost, and the host is flagged exactly once."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostseal.policy.bundle import build
from hostseal.policy.packaged import policies
from hostseal.spool.reading import SpoolReader
from hostseal.steps import Step
from hostseal.trial import opa_child
from hostseal.trial.session import SITE

AGENT = Path(__file__).with_name("killed_agent.py")
POINTS = [
    (Step.OBSERVED, 1),
    (Step.OBSERVED, 2),
    (Step.DECIDED, 1),
    (Step.DECIDED, 2),
    (Step.STANDING, 1),
    (Step.STANDING, 2),
    (Step.PUBLISHED, 1),
    (Step.QUEUED, 1),
    (Step.ACKNOWLEDGED, 1),
    (Step.ACKNOWLEDGED, 2),
    (Step.ACTION_STARTED, 1),
    (Step.ACTION_DONE, 1),
]


@pytest.fixture(scope="module")
def opa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A real OPA with the policies; its address and its decision log."""
    folder = tmp_path_factory.mktemp("opa")
    program = opa_child.find()
    build(program, policies(), SITE, folder / "bundle.tar.gz", None)
    with opa_child.running(program, folder / "bundle.tar.gz", folder / "decisions.jsonl") as url:
        yield url, folder / "decisions.jsonl"


def run(state: Path, url: str, step: str, nth: int) -> int:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(AGENT), str(state), url, step, str(nth)]
    return subprocess.run(command, timeout=60, check=False, env=environment).returncode


@pytest.mark.parametrize(("step", "nth"), POINTS)
def test_after_a_kill_nothing_is_lost_and_the_host_is_flagged_once(
    tmp_path: Path, opa: tuple[str, Path], step: Step, nth: int
) -> None:
    url, log = opa
    assert run(tmp_path, url, step, nth) == -signal.SIGKILL
    assert run(tmp_path, url, "none", 1) == 0
    reader = SpoolReader(tmp_path / "spool.db")
    records = list(reader.events())
    assert [(r["event"]["seq"], r["state"]) for r in records] == [(1, "done"), (2, "done")]
    standing = json.loads((tmp_path / "flag.json").read_text())
    assert standing["incident"]["events"] == [r["event"]["id"] for r in records]
    assert standing["incident"]["evidence"] == 2
    assert [(run["action"], run["state"]) for run in reader.actions()] == [("flag", "done")]
    assert (
        json.loads((tmp_path / "published/fact.json").read_text())["incident"] == standing["incident"]["id"]
    )
    logged = [json.loads(line) for line in log.read_text().splitlines() if '"decision_id"' in line]
    assert {r["decision_id"] for r in records} <= {entry["decision_id"] for entry in logged}
