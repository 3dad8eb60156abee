"""Looks at the policy engine add up to episodes: each begins once and ends once, and nothing is made of what was not seen."""

from hypothesis import example, given
from hypothesis import strategies as st

from hostseal.core.engine_watch import PATIENCE, Cause, News, Seen, Status, Watched, lasting, look

GOOD = Status(instance="one", revision="r")
texts = st.none() | st.sampled_from(["bad", "worse"])
statuses = st.builds(
    Status,
    instance=st.sampled_from(["one", "two"]),
    revision=st.none() | st.sampled_from(["r", "20261123T080000Z-r", "20261124T080000Z-r"]),
    bundle_error=texts,
    upload_error=texts,
    dropped=st.integers(0, 3),
)
looks = st.builds(Seen, down=texts, no_bundle=texts, status=st.none() | statuses)


def told(seen: list[Seen]) -> list[News]:
    known, news = Watched(), list[News]()
    for number, one in enumerate(seen):
        known, more = look(known, one, f"t{number}")
        news += more
    return news


def words(seen: list[Seen]) -> list[tuple[str, str | None, str | None]]:
    return [(one.cause, one.since, one.until) for one in told(seen)]


def test_one_bad_look_is_no_episode_and_two_are() -> None:
    good, bad = Seen(status=GOOD), Seen(down="refused")
    assert words([good, bad, good]) == []
    assert words([good, bad, bad, bad, good]) == [("opa_down", "t0", None), ("opa_down", "t0", "t4")]
    assert words([bad, bad]) == [("opa_down", None, None)]


def test_what_was_thrown_away_is_told_at_once_and_counted() -> None:
    counts = [0, 4, 4, 9, 10, 10]
    seen = [Seen(status=Status(instance="one", dropped=count)) for count in counts]
    assert [(one.until, one.count) for one in told(seen)] == [(None, 4), ("t2", 4), (None, 5), ("t5", 6)]


def test_a_counter_that_began_anew_counts_from_nothing() -> None:
    seen = [
        Seen(status=Status(instance=name, dropped=count))
        for name, count in [("one", 7), ("two", 2), ("two", 2)]
    ]
    assert [(one.until, one.count) for one in told(seen)] == [(None, 7), ("t2", 9)]


def test_a_restart_is_a_loss_only_while_something_waits_to_be_sent() -> None:
    other = Seen(status=Status(instance="two"))
    assert words([Seen(status=GOOD), other]) == []
    stuck = Seen(status=Status(instance="one", upload_error="500"))
    assert ("dropped", "t1", None) in words([Seen(status=GOOD), stuck, other])


def test_of_an_opa_that_tells_no_status_nothing_is_concluded() -> None:
    stuck, silent = Seen(status=Status(instance="one", upload_error="500")), Seen(why="401")
    assert words([stuck, stuck, silent, silent]) == [("upload_failed", None, None)]


def test_a_bundle_that_never_came_and_one_that_is_refused_are_one_cause() -> None:
    never, refused = (
        Seen(no_bundle="500"),
        Seen(no_bundle="500", status=Status(instance="one", bundle_error="digest")),
    )
    assert [one.detail for one in told([never, never])] == ["500"]
    assert [one.detail for one in told([refused, refused])] == ["digest"]


def test_policies_that_went_back_are_told_at_once_and_so_is_when_they_are_as_late_again() -> None:
    monday, tuesday = "20261123T080000Z-0123456789ab-d1", "20261124T080000Z-0123456789ab-d2"
    revisions = [monday, tuesday, None, monday, monday, tuesday]
    seen = [Seen(status=Status(instance="one", revision=revision)) for revision in revisions]
    news = told(seen)
    assert [(one.cause, one.since, one.until) for one in news] == [
        ("bundle_rolled_back", "t1", None),
        ("bundle_rolled_back", "t1", "t5"),
    ]
    assert news[0].detail == f"{monday} is in force, and {tuesday}, which was issued later, was before"


@given(st.lists(looks, max_size=12))
def test_each_cause_begins_and_ends_in_turn(seen: list[Seen]) -> None:
    news = told(seen)
    for cause in Cause:
        mine = [one for one in news if one.cause is cause]
        assert [one.until is None for one in mine] == [number % 2 == 0 for number in range(len(mine))]
        for begun, over in zip(mine[::2], mine[1::2], strict=False):
            assert begun.since == over.since


@given(st.lists(looks, max_size=12))
def test_a_loss_tells_its_cause_and_is_never_made_up_for(seen: list[Seen]) -> None:
    for one in told(seen):
        data = one.data()
        assert (data["sensor"], data["cause"], data["rescanned"]) == ("decision log", str(one.cause), False)
        assert data["scope"]


@given(st.lists(looks, max_size=12), st.integers(0, 11))
@example([Seen(status=Status(instance="one", revision="20261123T080000Z-r")), Seen(status=GOOD)], 1)
def test_it_does_not_matter_where_the_agent_was_started_again(seen: list[Seen], cut: int) -> None:
    whole = [(one.cause, one.until is None) for one in told(seen)]
    known, news = Watched(), list[News]()
    for number, one in enumerate(seen):
        if number == cut:
            known = lasting(known)
        known, more = look(known, one, f"t{number}")
        news += more
    assert [(one.cause, one.until is None) for one in news] == whole


@given(looks)
def test_all_is_over_once_everything_is_well(bad: Seen) -> None:
    known = Watched()
    for number in range(PATIENCE):
        known, _ = look(known, bad, f"t{number}")
    for number in range(2):
        known, _ = look(known, Seen(status=Status(instance="two", dropped=3)), f"u{number}")
    assert known.episodes == {}
