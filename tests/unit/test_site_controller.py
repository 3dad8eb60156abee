"""The site's data about a controller: what is wrong in it is named by its key."""

import json
from pathlib import Path
from typing import Any

import pytest

from hostseal.errors import PolicyError
from hostseal.policy import site

DEFAULTS = json.loads((Path(__file__).parents[2] / "policies/hostseal/site/data.json").read_bytes())
JOB = {
    "template": "Replace a host",
    "playbook": "replace.yml",
    "project": "Operations",
    "scm_url": "https://git.example.org/operations.git",
    "scm_branch": "main",
}


def merged(controller: Any) -> site.Site:
    groups = {"fronts": {"mode": "flag"}}
    return site.merge(DEFAULTS, {"groups": groups, "controller": controller})


def test_by_default_nothing_is_known_of_a_controller() -> None:
    known = site.merge(DEFAULTS, {}).controller
    assert (known.allowed, known.inventories) == ((), {})


def test_inventories_and_allowed_jobs_are_taken() -> None:
    known = merged(
        {"inventories": {"Web": {"groups": ["fronts"]}, "Routers": {"groups": []}}, "allowed": [JOB]}
    )
    assert known.controller.inventories["Web"].groups == ("fronts",)
    assert known.controller.allowed[0].scm_branch == "main"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"inventories": {"Web": {"groups": ["backs"]}}}, "controller.inventories.Web.groups: 'backs' is not one of groups"),
        ({"inventories": {"Web": {"group": []}}}, "controller.inventories"),
        ({"allowed": [{**JOB, "playbook": ""}]}, "controller.allowed[0].playbook: Expected `str` of length >= 1"),
        ({"allowed": [{**JOB, "limit": "web-1"}]}, "controller.allowed[0]: Object contains unknown field `limit`"),
        ({"allowed": [{"template": "Replace a host"}]}, "controller.allowed[0]: Object missing required field"),
        ({"templates": []}, "controller: Object contains unknown field `templates`; allowed keys: allowed, inventories"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(wrong: Any, why: str) -> None:
    with pytest.raises(PolicyError) as error:
        merged(wrong)
    assert error.value.message.startswith(why)
