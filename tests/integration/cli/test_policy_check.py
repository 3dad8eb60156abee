"""`hostseal policy check`: each fault is found by its step, and named by the file and the line that a person edits."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hostseal.errors import PolicyError
from hostseal.policy import cases, invariant, metadata, patterns, tools
from hostseal.policy.packaged import policies
from hostseal.policy.problem import Problem
from hostseal.policy.question import Question
from hostseal.policy.replay import Replayer
from hostseal.policy.scaffold import new
from hostseal.policy.serving import Source, served
from hostseal.policy.staging import Staged, staged
from integration.cli.policies import SITE, asked, hostseal

STEPS = [
    "rules",
    "site data",
    "format",
    "compile",
    "metadata",
    "lint",
    "tests",
    "patterns",
    "cases",
    "invariant",
]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder with one good rule."""
    new("root_login", tmp_path / "rules")
    return tmp_path / "rules"


def change(rules: Path, before: str, after: str, file: str = "root_login.rego") -> Path:
    path = rules / "root_login" / file
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    return path


@pytest.fixture
def tree(rules: Path) -> Iterator[Any]:
    """How the rules are seen by the tools, once they are as a test has them."""

    def stage() -> Staged:
        context = staged(policies(), [rules])
        contexts.append(context)
        return context.__enter__()

    contexts: list[Any] = []
    yield stage
    for context in contexts:
        context.__exit__(None, None, None)


def test_a_new_rule_is_taken_as_it_is(rules: Path, tmp_path: Path) -> None:
    (tmp_path / "site.json").write_text(json.dumps(SITE))
    done = hostseal("policy", "check", "--rules", rules, "--site", tmp_path / "site.json")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line[:7] for line in lines] == ["ok     "] * len(STEPS)
    assert [line[8:18].strip() for line in lines] == STEPS
    assert "1 decided as they say" in lines[8]


def test_all_faults_of_all_steps_are_named_at_once(rules: Path, tmp_path: Path) -> None:
    (tmp_path / "site.json").write_text('{"default": {"mode": "enforse"}}')
    rule = change(rules, "#   severity: medium", "#   severity: grave")
    change(rules, "  allowed: false", "  allowed: true", "cases/root_login.yaml")
    change(rules, 'finding.severity == "medium"', 'finding.severity == "low"', "root_login_test.rego")
    with rule.open("a") as file:
        file.write("\nunused(x) := y if {\n  y := x\n}\n")
    done = hostseal("policy", "check", "--json", "--rules", rules, "--site", tmp_path / "site.json")
    assert done.returncode == 1, done.stderr
    found = {step["name"]: step["problems"] for step in json.loads(done.stdout)["steps"]}
    assert [name for name in STEPS if found.get(name)] == ["site data", "format", "metadata", "lint", "tests"]
    [site] = found["site data"]
    assert site["where"] == str(tmp_path / "site.json")
    assert site["what"] == "default.mode: Invalid enum value 'enforse'; allowed: observe, flag, enforce"
    assert found["format"] == [
        {"where": str(rule), "what": "not formatted", "hint": f"opa fmt --write {rule}"}
    ]
    [severity] = found["metadata"]
    assert severity["where"].startswith(f"{rule}:")
    assert severity["what"] == "METADATA: custom.severity is 'grave'"
    assert any(one["where"].startswith(str(rule)) for one in found["lint"])
    assert [one["what"] for one in found["tests"]] == [
        "hostseal.rules.root_login_test.test_root_is_heard_of fails"
    ]
    assert found["tests"][0]["where"].startswith(str(rules / "root_login/root_login_test.rego"))


def test_two_rules_of_one_name_are_refused_and_nothing_else_is_looked_at(rules: Path, tmp_path: Path) -> None:
    new("root_login", tmp_path / "more")
    for given in (("--rules", rules, "--rules", tmp_path / "more"), ("--rules", _own_copy(tmp_path))):
        done = hostseal("policy", "check", *given)
        assert done.returncode == 1
        assert "there are two rules" in done.stdout
        assert "compile" not in done.stdout


def _own_copy(folder: Path) -> Path:
    (folder / "copy/sensor_lost").mkdir(parents=True)
    (folder / "copy/sensor_lost/sensor_lost.rego").write_text("package hostseal.rules.sensor_lost\n")
    return folder / "copy"


@pytest.mark.parametrize(
    ("before", "after", "what", "hint"),
    [
        ('	input.event.data.user == "root"\n', "	time.now_ns() > 0\n", "time.now_ns may not be called: it reads the clock", "input.event.time"),
        ('	input.event.data.user == "root"\n', "	http.send({}).body\n", "http.send may not be called: it asks the network", "input.event.time"),
        ("input.event.data.user", "input.event.data.usre", "undefined ref: input.event.data.usre", "rego_type_error"),
        ("	seen\n", "	seen if\n", "unexpected if keyword", "rego_parse_error"),
        ("import data.hostseal.wording\n", "import data.hostseal.wording\nimport data.hostseal.host\n", "data.hostseal.host unused", "rego_compile_error"),
    ],
)  # fmt: skip
def test_what_does_not_compile_is_named_by_its_line(
    rules: Path, tree: Any, before: str, after: str, what: str, hint: str
) -> None:
    file = change(rules, before, after)
    problems = list(tools.compiled(tree()))
    assert any(what in one.what and hint in one.hint for one in problems), problems
    assert all(one.where.startswith(f"{file}:") for one in problems)


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("# title: Root login\n", "", "METADATA has no title"),
        ("SOC2 CC6.1", "SOC2", "METADATA: custom.controls names none of SOC2"),
        ("PCI 10.2, CIS 5.4, ", "", "METADATA: custom.controls names none of PCI, CIS"),
        ("PCI 10.2", "PCI 10.2, ISO 27001", "METADATA: 'ISO 27001' is no control"),
    ],
)
def test_what_a_rule_does_not_say_of_itself_is_named(
    rules: Path, tree: Any, before: str, after: str, what: str
) -> None:
    file = change(rules, before, after)
    laid = tree()
    problems = list(metadata.complete(tools.inspected(laid), laid.real))
    assert what in [one.what for one in problems]
    assert all(one.where.startswith(f"{file}:") for one in problems)


def test_a_rule_that_its_test_does_not_cover_is_named_with_the_lines(rules: Path, tree: Any) -> None:
    file = change(rules, "seen if {", 'seen if input.event.type == "agent.started"\n\nseen if {')
    change(rules, 'test_root_is_heard_of if {\n	asked := logged_in({"user": "root"})', "test_nothing if {\n	asked := {}", "root_login_test.rego")  # fmt: skip
    change(rules, '	asks(asked) == {"flag"}\n	some finding in findings(asked)\n', "	asks(asked) == set()\n", "root_login_test.rego")  # fmt: skip
    change(rules, '	finding.message == "root (key SHA256:alice) from 192.0.2.7 logged in as root."\n	finding.severity == "medium"\n', "", "root_login_test.rego")  # fmt: skip
    [problem] = [one for one in tools.tested_own(tree()) if one.where]
    assert problem.where.startswith(f"{file}:")
    assert problem.what.startswith("its test covers ")
    assert problem.what.endswith(" %, not 95 %")
    assert problem.hint.startswith("test what is at line ")


def test_a_rule_without_a_test_is_named(rules: Path, tree: Any) -> None:
    (rules / "root_login/root_login_test.rego").unlink()
    [problem] = tools.tested_own(tree())
    assert problem.what == "its test covers 0.0 %, not 95 %"
    assert problem.where.startswith(str(rules / "root_login/root_login.rego"))


def test_a_case_that_is_decided_otherwise_says_in_what(rules: Path) -> None:
    file = change(rules, "logged in as root.", "rooted.", "cases/root_login.yaml")
    change(rules, "  allowed: false", "  allowed: true", "cases/root_login.yaml")
    (rules / "root_login/cases/not_one.yaml").write_text("decision: [\n")
    good, bad = cases.found([rules], [])
    assert [one.where for one in bad] == [str(rules / "root_login/cases/not_one.yaml")]
    with served(Source(rules=(rules,))) as url:
        problems = list(cases.failing(Replayer(url), good))
    said = "(no key on record) from 192.0.2.7"
    assert problems == [
        Problem(where=str(file), what="allowed: it is false, not true", hint=f"hostseal policy eval {file}"),
        Problem(
            where=str(file),
            what=f'violations: not wanted: "root {said} logged in as root."; not there: "root {said} rooted."',
            hint=f"hostseal policy eval {file}",
        ),
    ]


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ('sprintf("%s logged in as root."', 'sprintf("%s"', "flagged without a violation"),
        ("seen if {", 'seen := 7 if input.event.type == "session.opened"\n\nseen if {', "multiple outputs"),
        ('asks contains "flag"', 'asks contains "flagg"', "the policy's answer is not a decision"),
        (
            "finding.from_rule(rego.metadata.chain(), message)",
            'object.union(finding.from_rule(rego.metadata.chain(), message), {"severity": "grave"})',
            "root_login has a finding of severity 'grave', which is none",
        ),
        (
            "finding.from_rule(rego.metadata.chain(), message)",
            '{"rule": "root_login", "message": message}',
            "the policy's answer is not a decision",
        ),
    ],
)
def test_a_rule_that_breaks_a_law_of_all_decisions_is_found(
    rules: Path, before: str, after: str, what: str
) -> None:
    change(rules, before, after)
    if "sprintf" in before:
        change(rules, "[wording.login(identity.subject)]", "[input.event.data.nothing_has_this]")
    counts = [0]
    put = [Question(asks="event", input=asked("session_opened_person", "web-1"), where="case")]
    put[0].input["event"]["data"]["user"] = "root"
    with served(Source(rules=(rules,))) as url:
        problems = list(
            invariant.broken(Replayer(url), invariant.inputs(put, policies() / "schemas"), counts)
        )
    assert any(what in one.what for one in problems), problems
    assert counts[0] > 300


def test_patterns_that_opa_does_not_take_are_named(tmp_path: Path) -> None:
    one = {"id": "E-1", "owner": "carol", "reason": "a move", "expires": "2027-01-01T00:00:00Z"}
    paths = ["/etc/**", "/etc/[z-a]"]
    data = {
        **SITE,
        "exemptions": {"sealed_file_changed": {"all": [{**one, "paths": paths}]}},
        "break_glass": {"ticket_pattern": "^(INC-[0-9]+$"},
    }
    (tmp_path / "site.json").write_text(json.dumps(data))
    with served(Source(site=tmp_path / "site.json")) as url:
        found = [(one.where, one.what) for one in patterns.untaken(url, "site.json")]
    assert found == [
        ("site.json", "exemptions.sealed_file_changed.all[0].paths[1]: '/etc/[z-a]' is not a glob that OPA takes"),
        ("site.json", "break_glass.ticket_pattern: '^(INC-[0-9]+$' is not a regular expression that OPA takes"),
    ]  # fmt: skip


def test_one_test_is_run_by_its_name_in_opas_own_words(rules: Path) -> None:
    done = hostseal("policy", "test", "--rules", rules, "--run", "root_login_test")
    assert done.returncode == 0, done.stderr
    assert f"{rules / 'root_login/root_login_test.rego'}:" in done.stdout
    assert "PASS: 3/3" in done.stdout
    none = hostseal("policy", "test", "--rules", rules, "--run", "no_such_test")
    assert none.returncode == 1


def test_what_is_not_there_is_bad_input(tmp_path: Path) -> None:
    for option in ("--rules", "--policies", "--site", "--cases"):
        done = hostseal("policy", "check", option, tmp_path / "missing")
        assert (done.returncode, "missing" in done.stderr) == (2, True)


def test_a_folder_without_policies_is_named(tmp_path: Path) -> None:
    done = hostseal("policy", "check", "--policies", tmp_path)
    assert (done.returncode, "these are not Hostseal's policies" in done.stdout) == (1, True)


def test_without_regal_the_check_fails_and_says_what_to_do(rules: Path, tree: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("HOSTSEAL_REGAL", str(rules / "regal"))
    with pytest.raises(PolicyError, match=r"there is no regal program.*make tools"):
        list(tools.linted(tree()))
