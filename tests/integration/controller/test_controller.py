"""An automation controller asks before it starts a job, of a real OPA as a host runs it: TLS, token, signed bundle."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from e2e.test_how_to import ROOT, commands
from hostseal.core.decision import Action, parse
from hostseal.policy import bundle, signing
from hostseal.policy.packaged import policies
from hostseal.trial import opa_child
from integration.controller.asking import Verdict, ask
from integration.gate.test_how_to_page import run
from policy.opa_server import TOKEN, OpaServer

PAGE = "gate-a-controller.md"
JOB: dict[str, Any] = json.loads((ROOT / "tests/samples/controller/job.json").read_bytes())
REFUSED = (
    'The job "Patch the web servers" runs patch.yml on the inventory "Production web", which holds immutable hosts. Run it in '
    "check mode, build a new image with the change and replace the hosts, or have the site allow this job."
)


def fenced() -> dict[str, Any]:
    text = (ROOT / "docs/how-to" / PAGE).read_text("utf-8")
    [found] = re.findall(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    site: dict[str, Any] = json.loads(found)
    return site


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpaServer]:
    """An OPA with the page's site, and a group that is only observed."""
    folder, opa, site = tmp_path_factory.mktemp("controller"), opa_child.find().absolute(), fenced()
    site["groups"]["labs"] = {"mode": "observe"}
    site["controller"]["inventories"]["Labs"] = {"groups": ["labs"]}
    signing.generate_key_pair(folder / "key", folder / "pub")
    bundle.build(opa, policies(), site, folder / "b.tar.gz", folder / "key")
    with OpaServer(opa, folder, folder / "b.tar.gz", folder / "pub") as running:
        running.wait_for(200)
        yield running


def job(**changes: Any) -> dict[str, Any]:
    """Return the recorded job with some of it put otherwise; parts of a part are put one by one."""
    asked = copy.deepcopy(JOB)
    for key, value in changes.items():
        asked[key] = {**asked[key], **value} if isinstance(value, dict) else value
    return asked


REPLACING = {
    "name": "Replace a flagged host",
    "job_template": {"name": "Replace a flagged host"},
    "playbook": "replace.yml",
}


def verdict(server: OpaServer, asked: Any, token: str = TOKEN) -> Verdict:
    return ask(server.port, server.folder / "server.pem", token, asked)


def test_the_recorded_job_is_what_the_schema_says() -> None:
    schema = json.loads((ROOT / "policies/schemas/controller/job.json").read_bytes())
    jsonschema.Draft7Validator(schema).validate(JOB)


def test_a_job_on_sealed_hosts_does_not_start(server: OpaServer) -> None:
    assert verdict(server, JOB) == Verdict(False, (REFUSED,))


@pytest.mark.parametrize(
    "changes",
    [
        {"job_type": "check"},
        {"inventory": {"name": "Routers"}},
        {"inventory": {"name": "Labs"}},
        REPLACING,
        {**REPLACING, "scm_branch": "main"},
    ],
)
def test_these_jobs_start(server: OpaServer, changes: dict[str, Any]) -> None:
    assert verdict(server, job(**changes)) == Verdict(True)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"inventory": {"name": "Nobody lists it"}}, "which the site does not list: it may hold any host"),
        ({"inventory": None}, "on no inventory, so it may reach any host"),
        ({**REPLACING, "playbook": "patch.yml"}, "runs patch.yml on"),
        ({**REPLACING, "scm_branch": "mine"}, "runs replace.yml on"),
        ({**REPLACING, "project": {"scm_url": "https://git.example.org/mine.git"}}, "runs replace.yml on"),
        ({"limit": "pet-1"}, "which holds immutable hosts"),
        ({"job_type": "scan"}, "The job cannot be judged: job_type is none of run, check."),
        ({"playbook": None}, "The job cannot be judged: playbook is null, not a text."),
    ],
)
def test_these_do_not_and_say_why(server: OpaServer, changes: dict[str, Any], why: str) -> None:
    starts, [violation], error = verdict(server, job(**changes))
    assert (starts, error) == (False, "")
    assert why in violation


def test_what_is_only_observed_says_what_would_be(server: OpaServer) -> None:
    asked = {"input": job(inventory={"name": "Labs"})}
    status, answer = server.ask("/v1/data/hostseal/play/decision", asked)
    decision = parse(answer["result"])
    assert (status, decision.allowed, decision.would) == (200, True, (Action.REFUSE,))
    assert [finding.rule for finding in decision.findings] == ["job_on_sealed_hosts"]
    assert server.decision_log(answer["decision_id"])["input"]["id"] == JOB["id"]


def test_without_an_answer_no_job_starts(server: OpaServer) -> None:
    assert verdict(server, JOB, token="another") == Verdict(False, error="HTTPError")
    nowhere = ask(server.port, server.folder / "server.pem", TOKEN, JOB, "hostseal/play/answer")
    assert nowhere == Verdict(False, error="HTTPError")
    assert ask(1, server.folder / "server.pem", TOKEN, JOB) == Verdict(False, error="ConnectionError")


def test_gate_a_controller(tmp_path: Path) -> None:
    opa = opa_child.find().absolute()
    (tmp_path / "policies").symlink_to(policies())
    (tmp_path / "site.json").write_text(json.dumps(fenced()))
    (tmp_path / "question.json").write_text(json.dumps({"input": JOB}))
    (tmp_path / "token").write_text(TOKEN)
    signing.generate_key_pair(tmp_path / "bundle.key", tmp_path / "bundle.pub")
    build, question = commands(PAGE, {})
    built = run(build, tmp_path)
    assert built.returncode == 0, built.stderr
    with OpaServer(opa, tmp_path, tmp_path / "bundle.tar.gz", tmp_path / "bundle.pub") as server:
        server.wait_for(200)
        (tmp_path / "server.pem").rename(tmp_path / "ca.pem")
        asked = run(question.replace("opa.example.org:8181", f"127.0.0.1:{server.port}"), tmp_path)
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["result"]["violations"] == [REFUSED]
