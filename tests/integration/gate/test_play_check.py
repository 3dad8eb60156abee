"""`hostseal play check`: the gate's own question, asked in CI before any run."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hostseal.trial import opa_child
from integration.gate.conftest import ROOT, SITE, Bench
from integration.gate.test_gate import PATCHED, answering, role
from policy.opa_server import OpaServer

SCHEMA = json.loads((ROOT / "policies/schemas/play/decision.json").read_bytes())


def hostseal(folder: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).with_name("hostseal")), "play", "check", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


def test_a_refused_playbook_has_its_sentence_and_exit_1(bench: Bench) -> None:
    done = bench.check(bench.write([bench.patch()]))
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines() == [
        "ANSWER   HOSTS  TASKS  PLAY",
        "refused  1      1      A play",
        f"  -> {PATCHED}",
    ]
    assert not bench.changed.exists()


def test_an_allowed_playbook_exits_0_and_says_what_is_only_observed(bench: Bench) -> None:
    done = bench.check(bench.write([bench.patch()], "pet-1"))
    assert (done.returncode, done.stdout.splitlines()[1:]) == (0, ["allowed  1      1      A play"])
    observed = bench.check(bench.write([bench.patch()], "lab-1"))
    assert observed.returncode == 0
    assert "would be refused" in observed.stdout
    assert "the immutable host lab-1 in place" in observed.stdout


def test_limit_and_tags_are_those_of_ansible_playbook(bench: Bench) -> None:
    path = bench.write([bench.patch(tags=["patching"])], "all")
    assert bench.check(path).returncode == 1
    assert bench.check(path, "--limit", "pet-1,lab-1").returncode == 0
    assert bench.check(path, "--skip-tags", "patching").returncode == 0
    assert bench.check(path, "--tags", "patching").returncode == 1


def test_hosts_named_by_an_extra_variable(bench: Bench) -> None:
    path = bench.write([bench.patch()], "{{ target }}")
    assert bench.check(path, "-e", "target=pet-1").returncode == 0
    assert bench.check(path, "-e", "target=web-2-g4").returncode == 1
    assert bench.check(path).returncode == 2


def test_every_play_is_asked_about(bench: Bench) -> None:
    other = bench.folder / "other.yml"
    bench.write([bench.patch()]).rename(other)
    (bench.folder / "both.yml").write_text(
        json.dumps(
            [{"import_playbook": "other.yml"}, {"name": "Mine", "hosts": "pet-1", "gather_facts": False}]
        )
    )
    done = bench.check(bench.folder / "both.yml", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["allowed"]) == (1, False)
    assert [(play["name"], play["allowed"]) for play in found["plays"]] == [("A play", False), ("Mine", True)]
    assert found["plays"][0]["violations"] == [PATCHED]


def asked(server: OpaServer, decision_id: str) -> Any:
    return server.decision_log(decision_id)["input"]


def test_the_gate_and_the_command_line_ask_the_same(bench: Bench, gate_opa: OpaServer) -> None:
    role(bench, "web", [bench.patch(), {"ansible.builtin.include_tasks": "{{ x }}.yml", "when": False}])
    role(bench, "web", [bench.patch(name="On news")], "handlers")
    say = {"ansible.builtin.debug": {"msg": "decision {{ gate.decision_id }}"}, "delegate_to": "localhost"}
    playbook = bench.write([say], "lab-1", pre_tasks=[bench.gate()], roles=["web"])
    ran = re.search(r"decision ([0-9a-f-]{36})", bench.playbook(playbook, "-e", "x=web").stdout)
    assert ran is not None
    checked = json.loads(bench.check(playbook, "--json", "-e", "x=web").stdout)
    by_gate = asked(gate_opa, ran[1])
    jsonschema.Draft7Validator(SCHEMA).validate(by_gate)
    assert len(by_gate["play"]["tasks"]) == 5
    assert asked(gate_opa, checked["plays"][0]["decision_id"]) == by_gate


def test_an_opa_of_its_own_takes_the_sites_data_or_a_bundle(bench: Bench, gate_opa: OpaServer) -> None:
    path = bench.write([bench.patch()])
    site = bench.folder / "site.json"
    site.write_text(json.dumps(SITE))
    inventory = bench.folder / "inventory.json"
    assert hostseal(bench.folder, path, "-i", inventory, "--site", site).returncode == 1
    assert hostseal(bench.folder, path, "-i", inventory).returncode == 0
    bundle, key = gate_opa.folder / "bundle.tar.gz", gate_opa.folder / "bundle.pub"
    verified = hostseal(bench.folder, path, "-i", inventory, "--bundle", bundle, "--bundle-key", key)
    assert verified.returncode == 1
    unverified = hostseal(bench.folder, path, "-i", inventory, "--bundle", bundle)
    assert (unverified.returncode, "verification key not provided" in unverified.stderr) == (3, True)


def test_a_bundle_that_reads_the_clock_is_not_run(bench: Bench) -> None:
    folder, foreign = bench.folder / "foreign", bench.folder / "foreign.tar.gz"
    folder.mkdir()
    (folder / "policy.rego").write_text("package hostseal.play\ndecision := time.now_ns()\n")
    subprocess.run(
        [opa_child.find(), "build", "--bundle", folder, "--output", foreign], check=True, timeout=60
    )
    path, inventory = bench.write([bench.patch()]), bench.folder / "inventory.json"
    done = hostseal(bench.folder, path, "-i", inventory, "--bundle", foreign)
    assert (done.returncode, "time.now_ns" in done.stderr) == (3, True), done.stderr


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{}", "A playbook must be a list of plays"),
        ("- hosts: all\n  tasks: [{no.such.module: {}}]\n", "no.such.module"),
        ("- hosts: all\n  roles: [nowhere]\n", "nowhere"),
        ("- hosts: [\n", "YAML"),
        ("- hosts: '{{ nobody }}'\n", "nobody"),
    ],
)
def test_a_playbook_that_cannot_be_loaded_exits_2(bench: Bench, content: str, why: str) -> None:
    path = bench.folder / "bad.yml"
    path.write_text(content)
    done = bench.check(path)
    assert (done.returncode, why in done.stderr) == (2, True), done.stderr
    assert "Traceback" not in done.stderr


def test_bad_options_and_data_exit_2(bench: Bench) -> None:
    path, inventory, site = bench.write([]), bench.folder / "inventory.json", bench.folder / "site.json"
    site.write_text('{"gate": {"build_groups": ["nowhere"]}}')
    for options in (
        ("-i", inventory, "--opa-url", "opa.example.org"),
        ("-i", inventory, "--opa-url", bench.url, "--site", site),
        ("-i", inventory, "--site", site),
        ("-i", inventory, "--policies", bench.folder),
        ("-i", inventory, "--ca", "/no/such/file"),
        (),
    ):
        done = hostseal(bench.folder, path, *options)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr


def test_no_answer_exits_3(bench: Bench) -> None:
    path, inventory = bench.write([]), bench.folder / "inventory.json"
    broken = bench.folder / "broken.tar.gz"
    broken.write_bytes(b"no bundle")
    down = hostseal(bench.folder, path, "-i", inventory, "--opa-url", "http://127.0.0.1:1")
    assert down.returncode == 3
    assert hostseal(bench.folder, path, "-i", inventory, "--bundle", broken).returncode == 3
    for body in (b"{}", b'{"decision_id": "x", "result": {"allowed": true}}'):
        with answering(body) as url:
            assert hostseal(bench.folder, path, "-i", inventory, "--opa-url", url).returncode == 3


def test_hostile_names_are_not_shown_raw(bench: Bench) -> None:
    done = bench.check(bench.write([bench.patch(name="a\n\x1b[2J")], name="b\n\x1b[2J{{ 7*6 }}"))
    assert done.returncode == 1
    assert "\x1b" not in done.stdout
    assert "{{ 7*6 }}" in done.stdout
    assert len(done.stdout.splitlines()) == 3
