"""Scopes: few directories that cover at least what was asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostseal.core.scopes import WHOLE, covers, merged, under

paths = st.lists(st.sampled_from([b"a", b"b", b"ab", b"c"]), min_size=1, max_size=4).map(
    lambda names: b"/" + b"/".join(names)
)


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ([], ()),
        ([b"/etc"], (b"/etc",)),
        ([b"/etc", b"/etc/ssh"], (b"/etc",)),
        ([b"/etc/ssh", b"/etc"], (b"/etc",)),
        ([b"/etc", b"/etcetera"], (b"/etc", b"/etcetera")),
        ([b"/etc/a", b"/"], WHOLE),
    ],
)
def test_one_above_another_takes_its_place(asked: list[bytes], kept: tuple[bytes, ...]) -> None:
    assert merged(asked) == kept


def test_too_many_become_wider_ones() -> None:
    assert merged((b"/etc/%d/x" % n for n in range(40)), limit=3) == (b"/etc",)
    assert merged((b"/%d" % n for n in range(4)), limit=3) == WHOLE


@given(st.lists(paths, max_size=30), st.integers(min_value=1, max_value=6))
def test_everything_asked_for_is_covered_by_no_more_than_the_limit(asked: list[bytes], limit: int) -> None:
    kept = merged(asked, limit=limit)
    assert covers(kept, asked)
    assert len(kept) <= limit
    assert not any(under(one, other) for one in kept for other in kept if one != other)


def test_a_name_that_begins_alike_is_not_under_it() -> None:
    assert not under(b"/etcetera", b"/etc")
    assert under(b"/etc", b"/etc")
    assert under(b"/etc/a", b"/")
