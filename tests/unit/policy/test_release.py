"""What a bundle says of itself: time, commit and how far it may go."""

import datetime as dt

import msgspec
import pytest

from hostseal.errors import PolicyError
from hostseal.policy.content import Content
from hostseal.policy.release import STAGED, Release, after, issued, moment, rfc3339, rollout

MONDAY = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
NOTHING = Content(modules={}, data={"hostseal": {"site": {}, "rollout": {"state": "promoted"}}}, manifest={})


@pytest.mark.parametrize(
    ("asked", "data"),
    [
        ("observe", {"state": "observe"}),
        ("promoted", {"state": "promoted"}),
        ("25", {"state": "staged", "stage_percent": dict.fromkeys(STAGED, 25)}),
        ("0", {"state": "staged", "stage_percent": dict.fromkeys(STAGED, 0)}),
        (
            "flag=10,refuse=100",
            {"state": "staged", "stage_percent": {**dict.fromkeys(STAGED, 0), "flag": 10, "refuse": 100}},
        ),
    ],
)
def test_a_stage_is_what_the_policies_read(asked: str, data: object) -> None:
    assert msgspec.to_builtins(rollout(asked)) == data


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("staged", "'staged' is not one of observe, promoted, PERCENT or ACTION=PERCENT,... with flag, "),
        ("", "'' is not one of"),
        ("suspect=10", "'suspect=10' is not one of"),
        ("flag=10,", "'' is not one of"),
        ("101", "'101': a part of the hosts is 0 to 100 percent"),
        ("flag=-1", "'flag=-1': a part of the hosts is 0 to 100 percent"),
        ("flag=", "'flag=': a part of the hosts is 0 to 100 percent"),
        ("flag=²", "'flag=²': a part of the hosts is 0 to 100 percent"),
    ],
)
def test_a_wrong_stage_is_named(asked: str, message: str) -> None:
    with pytest.raises(PolicyError) as error:
        rollout(asked)
    assert error.value.message.startswith(f"--stage: {message}")


@pytest.mark.parametrize("text", ["2026-11-23T08:00:00Z", "2026-11-23T09:00:00.9+01:00", "1795420800"])
def test_a_moment_is_in_utc_and_whole_seconds(text: str) -> None:
    assert (moment(text), rfc3339(moment(text))) == (MONDAY, "2026-11-23T08:00:00Z")


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-23T08:00:00", "99999999999999999999"])
def test_what_is_no_moment_is_named(text: str) -> None:
    with pytest.raises(PolicyError, match=r"is no time|has no time zone"):
        moment(text)


def test_a_release_is_said_in_the_data() -> None:
    release = Release(issued=MONDAY, max_age_seconds=60, rollout=rollout("observe"))
    said = release.over(NOTHING)
    assert said.data["hostseal"] == {
        "site": {},
        "bundle": {"issued": "2026-11-23T08:00:00Z", "max_age_seconds": 60},
        "rollout": {"state": "observe"},
    }
    assert issued(said) == MONDAY
    assert Release().over(NOTHING).data["hostseal"] == {
        **NOTHING.data["hostseal"],
        "bundle": {"issued": None, "max_age_seconds": None},
    }
    assert issued(NOTHING) is None


def test_a_revision_says_what_is_known() -> None:
    whole = Release(issued=MONDAY, commit="0123456789ab")
    assert whole.revision("digest") == "20261123T080000Z-0123456789ab-digest"
    assert Release(issued=MONDAY).revision("digest") == "20261123T080000Z-digest"
    assert Release().revision("digest") == "digest"


@pytest.mark.parametrize("commit", [None, "0123456789ab", "0123456789ab.dirty"])
def test_the_next_stage_is_of_the_same_commit_and_greatest_age(commit: str | None) -> None:
    first = Release(issued=MONDAY, commit=commit, max_age_seconds=60, rollout=rollout("observe"))
    built = msgspec.structs.replace(first.over(NOTHING), revision=first.revision("digest"))
    tuesday = MONDAY + dt.timedelta(days=1)
    assert after(built, tuesday, rollout("promoted")) == msgspec.structs.replace(
        first, issued=tuesday, rollout=rollout("promoted")
    )


def test_an_action_has_one_part() -> None:
    with pytest.raises(PolicyError, match="'flag=100': flag has its part already"):
        rollout("flag=1,refuse=5,flag=100")
