"""The plan guard: exactly the one change that was asked for, and nothing beside it."""

import copy
from typing import Any

import pytest

from hostseal.core.plan_guard import Expected, StateMark, address, guard
from hostseal.errors import PlanRefusedError

HOST: dict[str, Any] = {"slot": "web-1", "generation": 2, "instance": "i", "image": "sha256:0"}
OLD = {**HOST, "generation": 1}
STATE = StateMark(lineage="l", serial=3)


def change(host: dict[str, Any], *actions: str, **more: Any) -> dict[str, Any]:
    gone, come = "delete" in actions or "no-op" in actions, "create" in actions or "no-op" in actions
    return {
        "address": address(f"{host['slot']}-g{host['generation']}"),
        "change": {
            "actions": list(actions),
            "before": {"input": host} if gone else None,
            "after": {"input": host} if come else None,
        },
        **more,
    }


def plan(*changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "format_version": "1.2",
        "errored": False,
        "complete": True,
        "applyable": True,
        "resource_changes": list(changes),
        **more,
    }


CREATE = plan(change(HOST, "create"), change(OLD, "no-op"))
DELETE = plan(change(HOST, "delete"), change(OLD, "no-op"))


def check(document: Any, expected: Expected, *, now: StateMark = STATE) -> None:
    before = copy.deepcopy(document)
    guard(document, expected, HOST, planned=STATE, now=now)
    assert document == before


def test_the_one_change_passes() -> None:
    check(CREATE, Expected.CREATE)
    check(DELETE, Expected.DELETE)


def test_a_host_whose_creation_broke_off_counts_as_one_to_create() -> None:
    tainted = plan(change(HOST, "delete", "create", action_reason="replace_because_tainted"))
    check(tainted, Expected.CREATE)
    with pytest.raises(PlanRefusedError, match="delete"):
        check(tainted, Expected.DELETE)


@pytest.mark.parametrize("expected", list(Expected))
@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"errored": True}, "planning failed half way"),
        ({"complete": False}, "leaves something for later"),
        ({"deferred_changes": [{}]}, "leaves something for later"),
        ({"applyable": False}, "cannot be applied"),
        ({"resource_drift": [{}]}, "behind the state's back"),
        ({"format_version": "2.0"}, "its format is 2.0"),
        ({"output_changes": {"o": {"actions": ["create"]}}}, "changes output o"),
    ],
)
def test_a_plan_that_is_not_whole_is_refused(expected: Expected, more: dict[str, Any], why: str) -> None:
    with pytest.raises(PlanRefusedError, match=why):
        check({**(CREATE if expected is Expected.CREATE else DELETE), **more}, expected)


@pytest.mark.parametrize(
    "now", [StateMark(lineage="l", serial=4), StateMark(lineage="m", serial=3), StateMark()]
)
def test_a_plan_for_another_state_is_refused(now: StateMark) -> None:
    with pytest.raises(PlanRefusedError, match="made for state 3"):
        check(CREATE, Expected.CREATE, now=now)


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [change(HOST, "no-op")],
        [change(OLD, "create")],
        [change(HOST, "create"), change(OLD, "delete")],
        [change(HOST, "create"), change(OLD, "update")],
        [change(HOST, "create"), change(OLD, "delete", "create")],
        [change(HOST, "create"), change(OLD, "forget")],
        [change(HOST, "create"), {"address": "x.y", "change": {"actions": ["read"]}}],
        [change(HOST, "create"), change(HOST, "create")],
        [change(HOST, "update")],
        [change(HOST, "delete")],
        [change(HOST, "delete", "create")],
        [change(HOST, "create", "delete")],
        [change(HOST, "create", previous_address="x.y")],
        [change({**HOST, "image": "sha256:1"}, "create")],
        [change({**HOST, "instance": "j"}, "create")],
    ],
    ids=str,
)
def test_anything_but_the_one_creation_is_refused(changes: list[dict[str, Any]]) -> None:
    with pytest.raises(PlanRefusedError, match=r"not to create web-1-g2 alone"):
        check(plan(*changes), Expected.CREATE)


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [change(HOST, "create")],
        [change(HOST, "delete", "create")],
        [change(OLD, "delete")],
        [change(HOST, "delete"), change(OLD, "delete")],
        [change({**HOST, "instance": "j"}, "delete")],
    ],
    ids=str,
)
def test_anything_but_the_one_removal_is_refused(changes: list[dict[str, Any]]) -> None:
    with pytest.raises(PlanRefusedError, match=r"not to delete web-1-g2 alone"):
        check(plan(*changes), Expected.DELETE)


def test_an_import_is_refused() -> None:
    moved = change(HOST, "create")
    moved["change"]["importing"] = {"id": "x"}
    with pytest.raises(PlanRefusedError, match="imported"):
        check(plan(moved), Expected.CREATE)


@pytest.mark.parametrize(
    "document", [None, [], {}, {"format_version": "1.2"}, {**CREATE, "resource_changes": 3}, "x"]
)
def test_what_is_no_plan_is_refused(document: Any) -> None:
    with pytest.raises(PlanRefusedError, match="not understood"):
        check(document, Expected.CREATE)
