"""The gate in a play: a refused play changes nothing, an allowed one runs, and no answer is no answer."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from integration.gate.conftest import Bench
from policy.opa_server import OpaServer

PATCHED = (
    'The play "A play" patches the immutable host web-1-g1 in place: task "Change a file" of ansible.builtin.copy. '
    "Build a new image with the change and replace the host."
)
GATED = pytest.mark.parametrize("on_failure", ["refuse", "allow"])


def test_a_patch_of_an_immutable_host_is_refused_and_changes_nothing(bench: Bench) -> None:
    done = bench.run([bench.patch()])
    assert done.returncode == 2
    assert PATCHED in done.stdout + done.stderr
    assert "failed=1" in done.stdout
    assert not bench.changed.exists()


def test_all_hosts_of_the_play_are_stopped_by_one_question(bench: Bench, gate_opa: OpaServer) -> None:
    before = gate_opa.log.read_text().count('"path":"hostseal/play/decision"')
    done = bench.run([bench.patch()], "all")
    assert done.returncode == 2
    assert "the immutable hosts web-1-g1, web-2-g4 in place" in done.stdout + done.stderr
    assert "changed=1" not in done.stdout
    assert not bench.changed.exists()
    asked = gate_opa.wait_for_log('"path":"hostseal/play/decision"').count('"path":"hostseal/play/decision"')
    assert asked == before + 1


@pytest.mark.parametrize("host", ["pet-1", "build-1", "lab-1", "localhost"])
def test_a_play_on_other_hosts_runs(bench: Bench, host: str) -> None:
    done = bench.run([bench.patch()], host)
    assert done.returncode == 0, done.stdout + done.stderr
    assert bench.changed.read_text() == "changed\n"


def test_mode_observe_says_that_it_would_be_refused(bench: Bench) -> None:
    done = bench.run([{"ansible.builtin.debug": {"var": "gate"}}, bench.patch()], "lab-1")
    assert done.returncode == 0
    assert '"would": [\n            "refuse"\n        ]' in done.stdout
    assert "the immutable host lab-1 in place" in done.stdout


def test_a_play_that_only_reads_runs(bench: Bench) -> None:
    tasks = [
        {"ansible.builtin.stat": {"path": "/"}},
        {"ansible.builtin.setup": {"gather_subset": ["!all", "!min"]}},
    ]
    assert bench.run(tasks).returncode == 0


def test_a_play_in_check_mode_runs_but_for_tasks_that_are_real_even_then(bench: Bench) -> None:
    assert bench.run([bench.patch()], "web-1-g1", "--check").returncode == 0
    assert bench.run([bench.patch(check_mode=True)]).returncode == 0
    done = bench.run([bench.patch(check_mode=False)], "web-1-g1", "--check")
    assert (done.returncode, PATCHED in done.stdout + done.stderr) == (2, True)
    assert not bench.changed.exists()


def test_tasks_that_the_tags_leave_out_do_not_count(bench: Bench) -> None:
    tasks = [
        bench.patch(tags=["patching"]),
        {"name": "Look", "ansible.builtin.stat": {"path": "/"}, "tags": ["look"]},
    ]
    assert bench.run(tasks, "web-1-g1", "--tags=look").returncode == 0
    assert bench.run(tasks, "web-1-g1", "--skip-tags=patching").returncode == 0
    assert bench.run(tasks, "web-1-g1", "--tags=patching").returncode == 2
    assert not bench.changed.exists()


def role(bench: Bench, name: str, tasks: list[dict[str, Any]], folder: str = "tasks") -> None:
    path = bench.folder / "roles" / name / folder
    path.mkdir(parents=True, exist_ok=True)
    (path / "main.yml").write_text(json.dumps(tasks))


@pytest.mark.parametrize(
    "play",
    [
        {"roles": ["web"]},
        {"tasks": [{"ansible.builtin.import_role": {"name": "web"}}]},
        {"tasks": [{"ansible.builtin.include_role": {"name": "web"}}]},
        {"roles": ["around"]},
    ],
)
def test_the_tasks_of_a_role_are_seen(bench: Bench, play: dict[str, Any]) -> None:
    role(bench, "web", [bench.patch()])
    role(bench, "around", [{"ansible.builtin.include_role": {"name": "web"}}])
    tasks = play.pop("tasks", [])
    done = bench.playbook(bench.write(tasks, pre_tasks=[bench.gate()], **play))
    assert done.returncode == 2
    assert 'task "Change a file" of ansible.builtin.copy in role web' in done.stdout + done.stderr
    assert not bench.changed.exists()


def test_handlers_and_nested_includes_are_seen(bench: Bench) -> None:
    inner = bench.folder / "roles/deep/tasks/more/inner.yml"
    inner.parent.mkdir(parents=True)
    inner.write_text(json.dumps([bench.patch(name="Deep")]))
    (inner.parent / "outer.yml").write_text(json.dumps([{"ansible.builtin.include_tasks": "inner.yml"}]))
    role(bench, "deep", [{"ansible.builtin.include_tasks": {"file": "more/outer.yml"}}])
    role(bench, "deep", [bench.patch(name="On news")], "handlers")
    done = bench.playbook(bench.write([], pre_tasks=[bench.gate()], roles=["deep"]))
    said = done.stdout + done.stderr
    assert "task Deep of ansible.builtin.copy in role deep" in said
    assert 'task "On news" of ansible.builtin.copy in role deep' in said


def test_an_include_that_is_named_by_a_template_is_reported(bench: Bench) -> None:
    (bench.folder / "rest.yml").write_text(json.dumps([bench.patch()]))
    include = {"name": "The rest", "ansible.builtin.include_tasks": "{{ which }}.yml"}
    done = bench.run([include], "web-1-g1", "-e", "which=rest")
    said = done.stdout + done.stderr
    assert done.returncode == 2
    assert "is known only while it runs" in said
    assert 'task "The rest" of ansible.builtin.include_tasks' in said
    assert not bench.changed.exists()


@pytest.mark.parametrize("name", ["../roles/self", "no-such-role"])
def test_what_cannot_be_read_cannot_be_judged(bench: Bench, name: str) -> None:
    role(bench, "self", [{"ansible.builtin.include_role": {"name": "self"}, "when": False}])
    done = bench.run([{"ansible.builtin.include_role": {"name": name}}])
    assert (done.returncode, "is known only while it runs" in done.stdout + done.stderr) == (2, True)


def test_a_role_that_includes_itself_twice_is_judged_in_bounded_time(bench: Bench) -> None:
    role(bench, "self", [{"ansible.builtin.include_role": {"name": "self"}, "when": False}] * 2)
    began = time.monotonic()
    done = bench.run([{"ansible.builtin.include_role": {"name": "self"}}])
    assert (done.returncode, "is known only while it runs" in done.stdout + done.stderr) == (2, True)
    assert time.monotonic() - began < 30


def test_a_gate_that_is_not_the_first_task_says_what_has_run(bench: Bench) -> None:
    done = bench.playbook(bench.write([bench.patch(check_mode=True), bench.gate()]))
    assert "1 task(s) stand before the gate" in " ".join(done.stderr.split())


def test_delegation_counts_where_it_goes(bench: Bench) -> None:
    assert bench.run([bench.patch(delegate_to="web-1-g1")], "pet-1").returncode == 2
    templated = bench.run([bench.patch(delegate_to="{{ groups['all'][0] }}")], "pet-1")
    assert "Which host the play" in templated.stdout + templated.stderr
    assert not bench.changed.exists()
    assert bench.run([bench.patch(delegate_to="localhost")], "web-1-g1").returncode == 0


def test_a_play_that_sets_an_address_is_refused(bench: Bench) -> None:
    wishes: list[tuple[list[dict[str, Any]], dict[str, Any]]] = [
        ([bench.patch(vars={"ansible_host": "192.0.2.1"})], {}),
        ([{"ansible.builtin.set_fact": {"ansible_host": "192.0.2.1"}}, bench.patch()], {}),
        ([bench.patch()], {"vars": {"ansible_host": "192.0.2.1"}}),
    ]
    for tasks, play in wishes:
        done = bench.run(tasks, "pet-1", **play)
        assert (done.returncode, "sets ansible_host" in done.stdout + done.stderr) == (2, True)
    extra = bench.run([bench.patch()], "pet-1", "-e", "ansible_host=192.0.2.1")
    assert (extra.returncode, "sets ansible_host" in extra.stdout + extra.stderr) == (2, True)
    assert not bench.changed.exists()


def test_a_module_or_role_that_borrows_a_name_gains_nothing(bench: Bench) -> None:
    library = bench.folder / "library"
    library.mkdir()
    (library / "stat.py").write_text(
        "from ansible.module_utils.basic import AnsibleModule\n"
        f"open({str(bench.changed)!r}, 'w').write('x')\n"
        "AnsibleModule(argument_spec={}).exit_json(changed=True)\n"
    )
    assert bench.run([{"stat": {}}]).returncode == 2
    for name in ("hostseal.core.agent", "acme.sealed.agent"):
        role(bench, name, [bench.patch()])
        assert bench.playbook(bench.write([], pre_tasks=[bench.gate()], roles=[name])).returncode == 2
    assert not bench.changed.exists()


def collection_role(folder: Path, tasks: list[dict[str, Any]]) -> None:
    path = folder / "ansible_collections/acme/sealed/roles/agent/tasks"
    path.mkdir(parents=True)
    (path / "main.yml").write_text(json.dumps(tasks))


def test_an_allowed_collection_beside_the_playbook_proves_nothing(bench: Bench) -> None:
    collection_role(bench.folder / "collections", [bench.patch()])
    playbook = bench.write([], pre_tasks=[bench.gate()], roles=["acme.sealed.agent"])
    assert bench.playbook(playbook).returncode == 2
    assert not bench.changed.exists()


def test_the_role_of_an_allowed_collection_runs(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    installed = tmp_path_factory.mktemp("collections")
    collection_role(installed, [bench.patch()])
    bench.collections = f"{bench.collections}:{installed}"
    playbook = bench.write([], pre_tasks=[bench.gate()], roles=["acme.sealed.agent"])
    done = bench.playbook(playbook)
    assert done.returncode == 0, done.stdout + done.stderr
    assert bench.changed.exists()


def test_hostile_names_are_neither_templated_nor_shown_raw(bench: Bench) -> None:
    name = "evil\n\x1b[2J{{ lookup('pipe','touch " + str(bench.changed) + "') }}"
    tasks = [{"ansible.builtin.debug": {"msg": "{{ gate.msg }}"}}, bench.patch(name=name)]
    gate = {**bench.gate(), "ignore_errors": True}
    done = bench.playbook(bench.write([gate, tasks[0]], handlers=[bench.patch(name=name)]))
    said = done.stdout + done.stderr
    assert "\x1b" not in said
    assert "lookup('pipe','touch" in said
    assert not bench.changed.exists()


@contextlib.contextmanager
def answering(body: bytes) -> Iterator[str]:
    """Something that is no OPA and always answers the same."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def unanswered(bench: Bench, on_failure: str, url: str, why: str, **options: Any) -> None:
    gate = bench.gate(url=url, on_failure=on_failure, **options)
    done = bench.playbook(bench.write([gate, bench.patch()]))
    said = " ".join((done.stdout + done.stderr).split())
    assert why in said
    assert bench.changed.exists() is (on_failure == "allow")
    assert (done.returncode == 0) is (on_failure == "allow")
    assert ("so the play goes on" in said) is (on_failure == "allow")


@GATED
def test_an_opa_that_is_down(bench: Bench, on_failure: str) -> None:
    unanswered(bench, on_failure, "https://127.0.0.1:1", "ConnectionRefusedError")


@GATED
def test_an_opa_whose_certificate_is_another(bench: Bench, on_failure: str, tmp_path_factory: Any) -> None:
    other = OpaServer(Path("opa"), tmp_path_factory.mktemp("other"), Path("none"), bench.ca)
    unanswered(
        bench, on_failure, bench.url, "CERTIFICATE_VERIFY_FAILED", ca_file=str(other.folder / "server.pem")
    )


@GATED
def test_an_opa_that_refuses_the_token(bench: Bench, on_failure: str) -> None:
    bench.token.write_text("another")
    unanswered(bench, on_failure, bench.url, "answers HTTP 401")


@GATED
@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{}", "hostseal/play/decision is undefined"),
        (b"<html>", "not JSON"),
        (b"[]", "not an object"),
        (b'{"result": {}}', "is not a decision"),
        (b'{"result": {"allowed": "yes", "violations": [], "findings": []}}', "is not a decision"),
        (b'{"result": {"allowed": true}}', "no list of violations"),
        (b'{"result": {"allowed": false, "violations": [], "findings": []}}', "contradicts itself"),
        (b'{"result": {"allowed": true, "violations": ["no"], "findings": []}}', "contradicts itself"),
        (b'{"result": {"allowed": true, "violations": []}}', "no list of findings"),
    ],
)
def test_an_answer_that_is_undefined_or_malformed(
    bench: Bench, on_failure: str, body: bytes, why: str
) -> None:
    with answering(body) as url:
        unanswered(bench, on_failure, url, why)


def test_options_that_cannot_be_used_are_named_whatever_on_failure_says(bench: Bench) -> None:
    for options, why in (
        ({"url": "http://192.0.2.1:8181"}, "without TLS only an OPA on this machine"),
        ({"url": "opa.example.org"}, "is not like https://"),
        ({"token_file": "/no/such/file"}, "/no/such/file"),
        ({"ca_file": "/no/such/file"}, "No such file"),
        ({"on_failure": "shrug"}, "must be one of: refuse, allow"),
    ):
        done = bench.playbook(bench.write([bench.gate(**{"on_failure": "allow", **options}), bench.patch()]))
        assert (done.returncode, why in " ".join((done.stdout + done.stderr).split())) == (2, True), why
    assert not bench.changed.exists()


def test_the_strategy_free_is_refused(bench: Bench) -> None:
    done = bench.run([bench.patch()], "pet-1", strategy="free")
    assert done.returncode != 0
    assert not bench.changed.exists()
