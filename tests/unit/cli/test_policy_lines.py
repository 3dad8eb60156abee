"""What `hostseal status` says of the policy in force and of the decision log."""

from datetime import UTC, datetime
from typing import Any

import pytest

from hostseal.cli.policy_lines import policy_in_lines

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
WELL: dict[str, Any] = {
    "looked": "2026-11-26T11:59:50.000000Z",
    "revision": "60387db22175f2d0",
    "activated": "2026-11-26T11:00:00.578332979Z",
    "release": {"issued": "2026-11-24T12:00:00Z", "max_age_seconds": None, "state": "promoted", "stage_percent": {}},
    "bundle_error": None,
    "upload_error": None,
    "dropped": 0,
    "episodes": {},
    "unwatched": None,
}  # fmt: skip


def rows(**changes: Any) -> dict[str, str]:
    return dict(policy_in_lines({**WELL, **changes}, NOW))


def test_a_policy_in_force_is_told_with_its_stage_and_age() -> None:
    assert rows() == {
        "policy": (
            "60387db22175f2d0, promoted, issued 2026-11-24 12:00:00 UTC, 2 day(s) ago,"
            " in force since 2026-11-26 11:00:00 UTC"
        ),
        "decision log": "arrives",
    }


def test_a_stage_names_its_actions() -> None:
    release = {**WELL["release"], "state": "staged", "stage_percent": {"flag": 10, "refuse": 2.5}}
    assert ", staged (flag 10 %, refuse 2.5 %)," in rows(release=release)["policy"]


@pytest.mark.parametrize(("limit", "old"), [(2 * 86400, False), (2 * 86400 - 1, True), (None, False)])
def test_a_bundle_older_than_it_may_grow_is_named(limit: int | None, old: bool) -> None:
    said = rows(release={**WELL["release"], "max_age_seconds": limit})["policy"]
    assert ("TOO OLD" in said) is old


def test_a_bundle_that_says_nothing_of_itself() -> None:
    said = rows(release={"issued": None, "max_age_seconds": None, "state": None, "stage_percent": {}})
    assert said["policy"] == "60387db22175f2d0, in force since 2026-11-26 11:00:00 UTC"


@pytest.mark.parametrize("issued", ["yesterday", "2026-13-01T00:00:00Z"])
def test_a_date_that_is_none_is_shown_as_it_is(issued: str) -> None:
    assert f"issued {issued}" in rows(release={**WELL["release"], "issued": issued})["policy"]


def test_a_refused_bundle_and_a_log_that_does_not_arrive() -> None:
    episodes = {
        "bundle_failed": {"since": None, "detail": "hostseal: digest mismatch"},
        "upload_failed": {"since": "2026-11-26T11:30:00.000000Z", "detail": "HTTP 500"},
    }
    said = policy_in_lines(
        {**WELL, "bundle_error": "hostseal: digest mismatch", "episodes": episodes, "dropped": 3}, NOW
    )
    assert said[1:] == [
        ("bundle refused", "hostseal: digest mismatch"),
        ("decision log", "upload failed since 2026-11-26T11:30:00.000000Z: HTTP 500"),
        ("decision log", "dropped 3 time(s) in all"),
    ]


def test_what_is_not_seen_is_not_called_well() -> None:
    assert rows(unwatched="it does not tell its status: 401")["decision log"].startswith("not watched: ")
    assert rows(revision=None, release=None)["policy"] == "not known: OPA does not tell"
    assert policy_in_lines({**WELL, "looked": None}, NOW) == [("policy", "not looked at yet")]
    assert policy_in_lines(None, NOW) == []
