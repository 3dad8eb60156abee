"""The role's part on the controller, run by a real ansible-playbook: what it builds is what the variables say."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from hostseal.policy import bundle as bundles
from hostseal.policy.release import STAGED
from hostseal.policy.signing import generate_key_pair, named
from hostseal.trial import opa_child
from integration.bundles.conftest import HOSTSEAL, MONDAY, ROOT

SHOW = {
    "name": "Say what hosts get",
    "ansible.builtin.copy": {
        "content": "{{ hostseal_opa_key | to_json }}",
        "dest": "{{ told }}",
        "mode": "0600",
    },
}
RULE = "# METADATA\n# title: Mine\npackage hostseal.rules.mine\n\nasks := set()\n"


def play(folder: Path, tasks_from: str, *options: str, **variables: Any) -> str:
    """Run a file of the role's tasks on this machine; return Ansible's summary."""
    role = {"name": "hostseal.core.opa", "tasks_from": tasks_from}
    tasks = [{"name": "Run the role's part", "ansible.builtin.import_role": role}, SHOW]
    given = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "hostseal_opa_binary": str(opa_child.find().absolute()),
        "hostseal_cli": str(HOSTSEAL),
        "hostseal_keys_dir": str(folder / "keys"),
        "told": str(folder / "told.json"),
        **variables,
    }
    (folder / "play.json").write_text(
        json.dumps(
            [{"name": "A play", "hosts": "localhost", "gather_facts": False, "vars": given, "tasks": tasks}]
        )
    )
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_NOCOLOR": "1",
    }
    command = [Path(sys.executable).with_name("ansible-playbook"), *options, folder / "play.json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.rpartition("PLAY RECAP")[2]


def test_the_role_builds_serves_and_changes_nothing_the_second_time(tmp_path: Path) -> None:
    (tmp_path / "www").mkdir()
    (tmp_path / "rules/mine").mkdir(parents=True)
    (tmp_path / "rules/mine/mine.rego").write_text(RULE)
    (tmp_path / "keys").mkdir()
    former = tmp_path / "keys/former.key"
    generate_key_pair(former, former.with_suffix(".pub"))
    variables = {
        "hostseal_site": {"default": {"mode": "flag"}},
        "hostseal_bundle_rules": [str(tmp_path / "rules")],
        "hostseal_bundle_stage": "flag=10",
        "hostseal_bundle_max_age": "7d",
        "hostseal_bundle_issued": MONDAY,
        "hostseal_bundle_serve_dir": str(tmp_path / "www"),
        "hostseal_bundle_former_keys": [str(former)],
    }
    assert re.search(r"changed=[1-9]", play(tmp_path, "bundle.yml", **variables))
    assert re.search(r"changed=0 ", play(tmp_path, "bundle.yml", **variables))
    key = named(tmp_path / "keys/bundle.pub")
    assert json.loads((tmp_path / "told.json").read_text()) == {"id": key.id, "algorithm": "ES256"}
    served = sorted(path.parent.name for path in (tmp_path / "www").glob("*/bundle.tar.gz"))
    assert served == sorted([key.id, named(former.with_suffix(".pub")).id])
    out = tmp_path / "keys/build/bundle.tar.gz"
    assert out.read_bytes() == (tmp_path / "www" / key.id / "bundle.tar.gz").read_bytes()
    content = bundles.read(opa_child.find(), out, [key])
    ours = content.data["hostseal"]
    assert ours["bundle"] == {"issued": MONDAY, "max_age_seconds": 7 * 86400}
    assert ours["rollout"] == {"state": "staged", "stage_percent": {**dict.fromkeys(STAGED, 0), "flag": 10}}
    assert ours["site"]["default"] == {"mode": "flag", "class": "immutable"}
    assert "hostseal/rules/mine/mine.rego" in content.modules


def test_without_any_of_the_variables_it_builds_a_promoted_bundle_for_a_file(tmp_path: Path) -> None:
    play(tmp_path, "bundle.yml")
    content = bundles.read(
        opa_child.find(), tmp_path / "keys/build/bundle.tar.gz", [named(tmp_path / "keys/bundle.pub")]
    )
    assert content.data["hostseal"]["rollout"] == {"state": "promoted"}
    assert content.data["hostseal"]["bundle"]["max_age_seconds"] is None
