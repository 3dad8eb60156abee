"""A controller's secrets never reach the decision log, whatever it posts, and no entry is lost on the way."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.opa_server import OpaServer

PLAY = "/v1/data/hostseal/play/decision"
SECRET = "p4ssw0rd-of-the-test"
MASK = Path(__file__).parents[2] / "policies/system/log/mask.rego"
PATHS = re.findall(r'"(/input/[a-z_/]+)"', MASK.read_text())
JOB = {
    "id": 70,
    "name": "Patch the web servers",
    "created_by": {"id": 1, "username": "admin", "is_superuser": True},
    "credentials": [{"id": 3, "name": "deploy", "inputs": {"password": SECRET}}],
    "extra_vars": {"db_password": SECRET, "nested": {"token": SECRET}},
    "survey_passwords": {"x": SECRET},
    "inventory": {"id": 1, "name": "production", "total_hosts": 2, "variables": {"ansible_password": SECRET}},
    "job_type": "run",
    "limit": "",
    "playbook": "patch.yml",
}
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
hidden = st.one_of(
    st.just(SECRET), st.lists(st.just(SECRET), min_size=1, max_size=2), st.dictionaries(st.text(max_size=3), st.just(SECRET), max_size=2)
)  # fmt: skip


@st.composite
def questions(draw: Callable[..., Any]) -> Any:
    """Any input at all; in most of them secrets stand where the mask knows them."""
    asked = draw(values)
    for path in draw(st.lists(st.sampled_from(PATHS), unique=True)):
        where, *names = path.removeprefix("/input/").split("/")
        asked = asked if isinstance(asked, dict) else {}
        if names:
            inner = asked.get(where)
            asked[where] = {**(inner if isinstance(inner, dict) else {}), names[0]: draw(hidden)}
        else:
            asked[where] = draw(hidden)
    return asked


def test_a_jobs_secrets_are_not_in_the_log_and_the_entry_says_what_is_gone(server: OpaServer) -> None:
    answer = server.ask(PLAY, {"input": JOB})[1]
    entry = server.decision_log(answer["decision_id"])
    assert SECRET not in json.dumps(entry)
    assert set(entry["erased"]) == {
        "/input/credentials", "/input/extra_vars", "/input/inventory/variables", "/input/survey_passwords"
    }  # fmt: skip
    assert entry["input"] == {
        **{key: JOB[key] for key in ("id", "name", "created_by", "job_type", "limit", "playbook")},
        "inventory": {"id": 1, "name": "production", "total_hosts": 2},
    }


def test_the_policy_itself_is_asked_with_everything(server: OpaServer) -> None:
    shortened = {key: value for key, value in JOB.items() if key not in {"credentials", "extra_vars"}}
    whole, less = (server.ask(PLAY, {"input": asked})[1].get("result") for asked in (JOB, shortened))
    assert whole == less


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=questions())
def test_whatever_is_posted_is_logged_without_a_secret(server: OpaServer, asked: Any) -> None:
    status, answer = server.ask(PLAY, {"input": asked})
    assert status == 200
    entry = server.decision_log(answer["decision_id"])
    assert SECRET not in json.dumps(entry)
    assert "masked" not in entry


@pytest.mark.parametrize(
    "body", [{}, {"input": None}, {"input": []}, {"input": [JOB]}, {"input": "text"}, {"input": 7}]
)
def test_input_that_is_no_object_is_logged_too(server: OpaServer, body: object) -> None:
    answer = server.ask(PLAY, body)[1]
    assert server.decision_log(answer["decision_id"])["path"] == "hostseal/play/decision"


def test_an_events_entry_is_whole(server: OpaServer) -> None:
    event = json.loads((Path(__file__).parents[1] / "samples/events/channel_shell.json").read_bytes())
    answer = server.decide(event, {"state": "sealed", "incident": None})
    entry = server.decision_log(answer["decision_id"])
    assert (entry["input"]["event"], "erased" in entry) == (event, False)


def test_opa_never_said_that_a_mask_failed(server: OpaServer) -> None:
    assert not re.search(r"masking failed|mask rule skipped", server.log.read_text())
