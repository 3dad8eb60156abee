"""The site's data of single rules: what is merged with the default, and errors that name the key."""

import json
from typing import Any

import msgspec
import pytest

from hostseal.errors import PolicyError
from hostseal.policy.packaged import policies
from hostseal.policy.site import merge
from hostseal.policy.sources import SITE_DATA

DEFAULTS = json.loads((policies() / SITE_DATA).read_bytes())
GROUPS = {"groups": {"web": {}}}


def merged(site: dict[str, Any]) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(msgspec.json.encode(merge(DEFAULTS, site)))
    return whole


def test_a_site_adds_to_a_list_and_takes_back_from_it() -> None:
    paths = merged({"boot_changed": {"paths": {"/boot/**": False, "/firmware/**": True}}})["boot_changed"][
        "paths"
    ]
    assert paths == {**DEFAULTS["boot_changed"]["paths"], "/boot/**": False, "/firmware/**": True}


def test_hours_are_kept_as_they_are() -> None:
    windows = {"default": {"sunday": []}, "groups": {"web": {"monday": [{"from": 0, "to": 24}]}}}
    wanted = {"default": {}, "groups": windows["groups"]}
    assert merged({**GROUPS, "login_window": windows})["login_window"] == wanted


def test_a_severity_and_a_revoked_image_are_kept() -> None:
    digest = f"sha256:{'a' * 64}"
    site = merged(
        {"sealed_file_changed": {"severities": {"/etc/motd": "low"}}, "images_revoked": {digest: "CVE"}}
    )
    assert site["sealed_file_changed"]["severities"]["/etc/motd"] == "low"
    assert site["images_revoked"] == {digest: "CVE"}


@pytest.mark.parametrize(
    ("site", "key", "says"),
    [
        ({"boot_changed": {"paths": {"boot": True}}}, "boot_changed.paths", "regex"),
        ({"boot_changed": {"paths": {"/b[": True}}}, "boot_changed.paths", "regex"),
        ({"boot_changed": {"path": {}}}, "boot_changed", "`path`"),
        (
            {"sealed_file_changed": {"severities": {"/a": "grave"}}},
            "sealed_file_changed.severities",
            "critical",
        ),
        ({"image_age": {"max_days": 0}}, "image_age.max_days", ">= 1"),
        ({"images_revoked": {"sha256:short": "why"}}, "images_revoked", "regex"),
        ({"unknown_key": {"known": {"MD5:aa": "bob's"}}}, "unknown_key.known", "regex"),
        ({"weak_key": {"rsa_bits": "many"}}, "weak_key.rsa_bits", "int"),
        ({"mutable_debt": {"only": "yes"}}, "mutable_debt.only", "bool"),
        ({"login_window": {"default": {"someday": []}}}, "login_window.default", "`someday`"),
        ({"login_window": {"default": {"monday": [{"from": 18, "to": 8}]}}}, "login_window.default", "two"),
        ({"login_window": {"default": {"monday": [{"from": 8, "to": 25}]}}}, "monday", "<= 24"),
        ({"login_window": {"groups": {"moon": {}}}}, "login_window.groups", "'moon' is not one of groups"),
    ],
)
def test_what_is_wrong_is_named(site: dict[str, Any], key: str, says: str) -> None:
    with pytest.raises(PolicyError) as error:
        merge(DEFAULTS, site)
    assert error.value.hint == "site data"
    where, _, what = error.value.message.partition(": ")
    assert key in where
    assert says in what
