"""The cases under tests/cases: what the policy is asked, by which site's data, and the decision that is wanted.

A case has a `note` and either the whole `input` or a `sample` of tests/samples/events with the `host` it is told of and that
one's `standing`. `data` is laid over the site's data of the tests, `bundle` is what the bundle says of itself.
"""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from hostseal.policy import site as site_data

TESTS = Path(__file__).parents[1]
FILES = sorted((TESTS / "cases").glob("*.yaml"))
NO_BUNDLE = {"issued": None, "max_age_seconds": None}
_SHAPES = ({"note", "decision", "sample", "host", "standing"}, {"note", "decision", "input"})
_OPTIONAL = {"data", "bundle"}
_REGO = Path(__file__).with_suffix(".rego")


class Case(NamedTuple):
    """One case, its input whole."""

    name: str
    note: str
    sample: str | None
    input: dict[str, Any]
    data: dict[str, Any]
    bundle: dict[str, Any]
    decision: dict[str, Any]


class Answer(NamedTuple):
    """The decision that OPA gave, and the rules that found something or asked for something, be they on or off."""

    decision: dict[str, Any]
    fired: set[str]


def load(path: Path) -> Case:
    """Read a case; AssertionError names the file and the key that is wrong."""
    read = yaml.safe_load(path.read_bytes())
    keys = set(read) - _OPTIONAL
    assert keys in _SHAPES, f"{path.name}: {sorted(keys)} is neither a sample's case nor an input's"
    asked = read.get("input")
    if asked is None:
        event = sample(read["sample"])
        event["host"]["name"] = read["host"]
        asked = {"event": event, "standing": read["standing"]}
    bundle = {**NO_BUNDLE, **read.get("bundle", {})}
    data = read.get("data", {})
    return Case(path.stem, read["note"], read.get("sample"), asked, data, bundle, read["decision"])


def sample(name: str) -> dict[str, Any]:
    """Return a sample event as it is stored."""
    event: dict[str, Any] = json.loads((TESTS / "samples" / "events" / f"{name}.json").read_bytes())
    return event


def answers(opa: Path, policies: Path, site: dict[str, Any], cases: Iterable[Case]) -> dict[str, Answer]:
    """Return what a real OPA answers to each case, by name, all in one run; one that has no decision is missing."""
    defaults = json.loads((policies / "hostseal" / "site" / "data.json").read_bytes())
    ground = msgspec.to_builtins(site_data.merge(defaults, site))
    questions = {
        case.name: {
            "input": case.input,
            "site": msgspec.to_builtins(site_data.merge(ground, case.data)),
            "bundle": case.bundle,
        }
        for case in cases
    }
    done = subprocess.run(
        [
            opa,
            "eval",
            "--format",
            "json",
            "--data",
            policies,
            "--data",
            _REGO,
            "--stdin-input",
            "data.cases.answers",
        ],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [result] = json.loads(done.stdout)["result"]
    found = result["expressions"][0]["value"]
    return {name: Answer(answer["decision"], set(answer["fired"])) for name, answer in found.items()}
