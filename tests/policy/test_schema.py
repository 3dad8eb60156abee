"""The schema of the decision's input: used by OPA's type checker and by these samples alike."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from hostseal.core.event import Event, EventType

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "tests" / "samples" / "events").glob("*.json"))
SCHEMA = json.loads((ROOT / "policies" / "schemas" / "input.json").read_bytes())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def question(path: Path) -> dict[str, Any]:
    return {"event": json.loads(path.read_bytes()), "standing": {"state": "sealed", "incident": None}}


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    for path in (ROOT / "policies" / "schemas").rglob("*.json"):
        jsonschema.Draft7Validator.check_schema(json.loads(path.read_bytes()))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_valid(path: Path) -> None:
    VALIDATOR.validate(question(path))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_agent_reads_and_writes_a_sample_as_it_is(path: Path) -> None:
    event = msgspec.json.decode(path.read_bytes(), type=Event)
    assert json.loads(msgspec.json.encode(event)) == json.loads(path.read_bytes())


def test_every_type_has_a_sample_and_a_schema() -> None:
    types = {str(kind) for kind in EventType}
    assert {json.loads(path.read_bytes())["type"] for path in SAMPLES} == types
    variants = [ref["$ref"].rpartition("/")[2] for ref in SCHEMA["properties"]["event"]["anyOf"]]
    described = {SCHEMA["definitions"][name]["properties"]["type"]["enum"][0] for name in variants}
    assert described == types


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_an_unknown_key_or_a_missing_one_is_invalid(path: Path) -> None:
    good = question(path)
    data = good["event"]["data"]
    for wrong in ({**data, "colour": "red"}, *({k: v for k, v in data.items() if k != key} for key in data)):
        assert not VALIDATOR.is_valid({**good, "event": {**good["event"], "data": wrong}})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda asked: asked["event"].update(time="2026-01-02 03:04:05"),
        lambda asked: asked["event"].update(seq=-1),
        lambda asked: asked["event"].update(type="moon.rose"),
        lambda asked: asked["event"]["host"].update(mode="enforse"),
        lambda asked: asked["standing"].update(state="cracked"),
        lambda asked: asked["event"]["data"]["writer"].update(kind="ghost"),
        lambda asked: asked["event"]["data"]["paths"][0].update(what=["eaten"]),
        lambda asked: asked["event"]["data"]["paths"][0].update(sha256="short"),
    ],
)
def test_a_wrong_value_is_invalid(spoil: Callable[[dict[str, Any]], None]) -> None:
    asked = question(ROOT / "tests" / "samples" / "events" / "files_changed_by_person.json")
    VALIDATOR.validate(asked)
    spoil(asked)
    assert not VALIDATOR.is_valid(asked)


def test_opa_finds_a_misspelt_key_by_the_schema(opa: Path, policies: Path, tmp_path: Path) -> None:
    copied = tmp_path / "policies"
    shutil.copytree(policies, copied)
    rule = copied / "hostseal" / "rules" / "interactive_session" / "interactive_session.rego"
    rule.write_text(rule.read_text().replace("input.event.data.kind", "input.event.data.knid"))
    command = [opa, "check", "--strict", "--schema", copied / "schemas", copied]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "undefined ref: input.event.data.knid" in done.stderr
