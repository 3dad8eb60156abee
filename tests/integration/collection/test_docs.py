"""Every plugin of the collection is documented, as ansible-doc reads it."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
PLUGINS = ROOT / "collections/ansible_collections/hostseal/core/plugins"
MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))


def doc(name: str) -> Any:
    done = subprocess.run(
        [
            Path(sys.executable).with_name("ansible-doc"),
            "--json",
            "--type",
            "module",
            f"hostseal.core.{name}",
        ],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections")},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(done.stdout)[f"hostseal.core.{name}"]


def test_there_are_modules() -> None:
    assert {"flag", "flag_info", "gate"} <= set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_has_documentation_examples_and_return_values(name: str) -> None:
    found = doc(name)
    assert found["doc"]["short_description"]
    assert found["doc"]["version_added"]
    assert {"check_mode", "diff_mode"} <= set(found["doc"]["attributes"])
    assert f"hostseal.core.{name}:" in found["examples"]
    for option in found["doc"]["options"].values():
        assert option["description"]
        assert option["type"]
    for value in found["return"].values():
        assert value["description"]
        assert value["returned"]
        assert value["type"]


def test_the_gates_documentation_names_its_options_and_defaults() -> None:
    module = ast.parse((PLUGINS / "action/gate.py").read_text())
    [options] = [
        ast.literal_eval(node.value)
        for node in module.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "OPTIONS"
    ]
    kept = ("type", "choices", "default", "required")
    known = {name: {key: spec[key] for key in kept if key in spec} for name, spec in options.items()}
    documented = {
        name: {key: spec[key] for key in kept if key in spec}
        for name, spec in doc("gate")["doc"]["options"].items()
    }
    assert documented == known


@pytest.mark.parametrize("path", sorted(PLUGINS.rglob("*.py")), ids=lambda path: path.stem)
def test_a_plugin_stands_without_the_agents_package(path: Path) -> None:
    source = path.read_text()
    assert "import hostseal" not in source
    assert "from hostseal" not in source
    assert "from __future__ import annotations" in source
