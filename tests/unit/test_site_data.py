"""The site's data: what is taken as it is, and errors that name the key and say what is allowed there."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hostseal.errors import PolicyError
from hostseal.policy import site_file
from hostseal.policy.packaged import policies
from hostseal.policy.site import merge
from hostseal.policy.sources import SITE_DATA, collect

DEFAULTS = json.loads((policies() / SITE_DATA).read_bytes())
RULES = {"interactive_session", "repeated_sessions", "sealed_file_changed", *DEFAULTS["rules"]}
HOSTS = {"groups": {"web": {}}, "hosts": {"web-1": {"groups": ["web"]}}}
EXEMPTION = {"id": "EX-1", "owner": "carol", "reason": "a migration", "expires": "2027-01-31T00:00:00Z"}


def exempting(subject: str, **changes: Any) -> dict[str, Any]:
    return {**HOSTS, "exemptions": {"interactive_session": {subject: [{**EXEMPTION, **changes}]}}}


def complaint(site: dict[str, Any]) -> str:
    with pytest.raises(PolicyError) as error:
        merge(DEFAULTS, site, RULES)
    assert error.value.hint == "site data"
    return error.value.message


def test_the_defaults_are_whole_and_stay_as_they_are() -> None:
    assert json.loads(msgspec.json.encode(merge(DEFAULTS, {}))) == DEFAULTS


@pytest.mark.parametrize("subject", ["host:web-1", "host:web-1-g7", "group:web", "user:alice", "all"])
def test_an_exemption_is_taken_as_it_is(subject: str) -> None:
    for changes in ({}, {"paths": ["/etc/nginx/**"]}, {"expires": "2027-01-31T00:00:00.000001Z"}):
        site = exempting(subject, **changes)
        merged = json.loads(msgspec.json.encode(merge(DEFAULTS, site, RULES)))
        assert merged["exemptions"] == site["exemptions"]


def test_switches_and_deadlines_say_only_what_was_said() -> None:
    site = {
        **HOSTS,
        "rules": {"interactive_session": {"severity": "critical"}, "repeated_sessions": {"enabled": False}},
        "deadlines": {"severities": {"critical": 600}, "groups": {"web": 3600}},
    }
    merged = json.loads(msgspec.json.encode(merge(DEFAULTS, site, RULES)))
    assert merged["rules"] == {**DEFAULTS["rules"], **site["rules"]}
    assert merged["deadlines"] == site["deadlines"]


PLACE = "exemptions.interactive_session.host:web-1"
DATE = "is not a date like 2027-01-31T00:00:00Z (RFC 3339, in UTC)"


@pytest.mark.parametrize(
    "expires",
    [
        "2027-02-30T00:00:00Z", "2027-01-31", "2027-01-31T00:00:00", "2027-01-31T00:00:00+00:00", "soon",
        "2027-01-31 00:00:00Z", "2027-01-31T00:00:00z", "2027-01-31T24:00:00Z", "2027-01-31T00:00:00Z\n",
    ],
)  # fmt: skip
def test_a_date_that_is_none_is_named(expires: str) -> None:
    assert complaint(exempting("host:web-1", expires=expires)) == f"{PLACE}[0].expires: {expires!r} {DATE}"


@pytest.mark.parametrize(
    ("site", "message"),
    [
        (exempting("host:web-1", expires=7), f"{PLACE}[0].expires: Expected `str`, got `int`"),
        (
            exempting("host:web-1", expires="9999-12-31T00:00:00Z"),
            f"{PLACE}[0].expires: '9999-12-31T00:00:00Z' is later than 2261, which is as far as OPA can compare dates",
        ),
        (exempting("host:web-1", owner=""), f"{PLACE}[0].owner: Expected `str` of length >= 1"),
        (
            exempting("host:web-1", until="2027"),
            f"{PLACE}[0]: Object contains unknown field `until`; allowed keys: id, owner, reason, expires, paths",
        ),
        (exempting("host:web-1", paths=["etc"]), f"{PLACE}[0].paths[0]: Expected `str` matching regex '^/'"),
        (exempting("host:web-1", paths=[]), f"{PLACE}[0].paths: Expected `array` of length >= 1"),
        (
            exempting("host:web-1", paths=["/a", "/etc/[a"]),
            f"{PLACE}[0].paths[1]: '/etc/[a' is not a glob: a bracket or brace is open; `\\` before one means it itself",
        ),
        (
            exempting("host:web-1", paths=["/etc/a\\"]),
            f"{PLACE}[0].paths[0]: '/etc/a\\\\' is not a glob: nothing follows the last `\\`",
        ),
        (exempting("host:web-1", reason=" "), f"{PLACE}[0].reason: Expected `str` matching regex '\\\\S'"),
        (
            exempting("host:web-2"),
            "exemptions.interactive_session.host:web-2: 'web-2' is not one of hosts; is web-1 meant?",
        ),
        (exempting("host:db"), "exemptions.interactive_session.host:db: 'db' is not one of hosts"),
        (exempting("group:wab"), "exemptions.interactive_session.group:wab: 'wab' is not one of groups; is web meant?"),
        (
            exempting("web-1"),
            "exemptions.interactive_session.web-1: 'web-1' is not like host:NAME, group:NAME, user:NAME or all",
        ),
        (
            exempting("user:"),
            "exemptions.interactive_session.user:: 'user:' is not like host:NAME, group:NAME, user:NAME or all",
        ),
        (
            {"exemptions": {"interactive_sesion": {"all": [EXEMPTION]}}},
            "exemptions.interactive_sesion: there is no such rule; is interactive_session meant?",
        ),
        ({"rules": {"moon": {}}}, "rules.moon: there is no such rule"),
        ({"responses": {"rules": {"moon": []}}}, "responses.rules.moon: there is no such rule"),
        (
            {"rules": {"repeated_sessions": {"severity": "grave"}}},
            "rules.repeated_sessions.severity: Invalid enum value 'grave'; allowed: low, medium, high, critical",
        ),
        ({"rules": {"repeated_sessions": {"enabled": "no"}}}, "rules.repeated_sessions.enabled: Expected `bool`, got `str`"),
        ({"repeated_sessions": {"count": 1}}, "repeated_sessions.count: Expected `int` >= 2"),
        ({"repeated_sessions": {"within_seconds": 86401}}, "repeated_sessions.within_seconds: Expected `int` <= 86400"),
        ({"deadlines": {"groups": {"web": 60}}}, "deadlines.groups: 'web' is not one of groups"),
        ({"deadline_seconds": 10**12}, "deadline_seconds: Expected `int` <= 315360000"),
        ({"deadlines": {"groups": {"web": 0}}}, "deadlines.groups.web: Expected `int` >= 1"),
        (
            {"deadlines": {"severities": {"grave": 60}}},
            "deadlines.severities: Object contains unknown field `grave`; allowed keys: low, medium, high, critical",
        ),
        ({"hosts": {"": {}}}, "hosts: a name in it: Expected `str` of length >= 1"),
        (
            {"hosts": {"web-1": {}, "web-2": {"mode": "enforse"}}},
            "hosts.web-2.mode: Invalid enum value 'enforse'; allowed: observe, flag, enforce",
        ),
        ({"responses": {"rules": {"seal_broken": ["flag"]}}}, "responses.rules.seal_broken[0]: Invalid enum value 'flag'; "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(site: dict[str, Any], message: str) -> None:
    said = complaint(site)
    assert said == message or (message.endswith("; ") and said.startswith(message))


def test_a_rule_that_nobody_names_is_known_by_the_files_of_a_bundle() -> None:
    for rule in ("exemption_expired", "repeated_sessions", "break_glass_worked"):
        collect(policies(), {"rules": {rule: {"enabled": True}}})
    with pytest.raises(PolicyError, match=r"^rules\.without_break_glass: there is no such rule"):
        collect(policies(), {"rules": {"without_break_glass": {"enabled": False}}})


@pytest.mark.parametrize(
    "text",
    [
        '{"default": {"mode": "enforce", "mode": "observe"}}',
        '{"hosts": {}, "mode": 1, "hosts": {}, "mode": 2}',
    ],
)
def test_a_key_that_stands_twice_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "site.json").write_text(text)
    twice = "hosts" if "hosts" in text else "mode"
    with pytest.raises(PolicyError, match=f"'{twice}' stands twice in one table") as error:
        site_file.load(tmp_path / "site.json")
    assert error.value.hint == str(tmp_path / "site.json")


def test_a_file_nested_too_deeply_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "site.json").write_text("[" * 100_000)
    with pytest.raises(PolicyError, match="the site data cannot be read"):
        site_file.load(tmp_path / "site.json")
