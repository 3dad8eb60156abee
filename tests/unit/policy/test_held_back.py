"""What was held back, counted from decisions as they are recorded in different places."""

import json
from typing import Any

import pytest

from hostseal.errors import PolicyError
from hostseal.policy.held_back import Count, count


def decision(number: int, host: str, **result: Any) -> dict[str, Any]:
    return {
        "decision_id": f"decision-{number}",
        "bundles": {"hostseal": {"revision": "r1"}},
        "input": {"event": {"host": {"name": host}}},
        "result": {"allowed": True, "actions": [], "would": [], **result},
    }


def counted(*entries: object) -> list[Count]:
    return count([json.dumps(entry) for entry in entries], "decisions.jsonl")


def test_decisions_and_hosts_are_counted_by_action() -> None:
    entries = (
        decision(1, "web-1", would=["flag", "lockdown_closed"]),
        decision(2, "web-1", would=["flag"]),
        decision(3, "web-2", actions=["flag"]),
    )
    assert counted(*entries) == [
        Count(
            revision="r1", decisions=3, hosts=2,
            would={"flag": (2, 1), "lockdown_closed": (1, 1)}, did={"flag": (1, 1)},
        )
    ]  # fmt: skip


def test_a_decision_that_is_there_twice_counts_once() -> None:
    one = decision(1, "web-1", would=["flag"])
    assert counted(one, one)[0].would == {"flag": (1, 1)}


def test_a_ledgers_record_is_read_too() -> None:
    record = {"kind": "decision", "host": "web-1", "body": decision(1, "web-1", would=["flag"])}
    assert counted(record) == counted(decision(1, "web-1", would=["flag"]))


def test_what_is_no_decision_of_ours_is_left_out() -> None:
    others = (
        {"decision_id": "x", "result": True},
        {"result": {"allowed": True}},
        {"level": "error"},
        [],
        3,
        None,
    )
    assert counted(*others) == []


def test_each_revision_is_counted_for_itself_in_the_order_of_time() -> None:
    later = {**decision(2, "web-1"), "bundles": {"hostseal": {"revision": "r2"}}}
    unknown = {**decision(3, "web-1"), "bundles": None}
    assert [one.revision for one in counted(decision(1, "web-1"), later, unknown)] == ["r1", "r2", "unknown"]


def test_what_is_no_json_is_named() -> None:
    with pytest.raises(PolicyError) as error:
        count(["", "{"], "decisions.jsonl")
    assert error.value.hint == "decisions.jsonl:2"
