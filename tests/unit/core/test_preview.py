"""Decisions beside each other: what is counted as a change, and for whom."""

from typing import Any

from hostseal.core.preview import (
    ActionChange,
    HostChange,
    Preview,
    Replayed,
    RuleChange,
    Tally,
    Turned,
    outcome,
)


def decision(*rules: str, **changes: Any) -> dict[str, Any]:
    """Return a decision in which each of these rules breaks the seal."""
    findings = [{"rule": rule, "severity": "high", "message": f"{rule}.", "controls": []} for rule in rules]
    return {
        "allowed": not rules,
        "violations": [one["message"] for one in findings],
        "findings": findings,
        "actions": ["flag"] if rules else [],
        "would": [],
        "deadline_seconds": 600 if rules else None,
        **changes,
    }


def of(
    *pairs: tuple[Any, Any], asks: str = "event", host: str | None = "web-1", about: str = "web-1"
) -> Preview:
    tally = Tally()
    for before, after in pairs:
        tally.add(Replayed(asks=asks, about=about, host=host, before=outcome(before), after=outcome(after)))
    return tally.preview()


NOTHING = Preview(
    replayed=1, changed=0, deadlines=0, actions=(), rules=(), hosts=(), flagged=(), freed=(), refused=(),
    admitted=(), undecided=(), decided=0, never=0,
)  # fmt: skip


def test_the_same_decision_is_no_change_nor_are_other_words() -> None:
    said = decision("shell")
    otherwise = decision("shell")
    otherwise["findings"][0]["message"] = otherwise["violations"][0] = "In other words."
    assert of((said, said)) == NOTHING
    assert of((said, otherwise)) == NOTHING
    assert of((decision(), decision())) == NOTHING


def test_a_host_that_would_be_flagged_is_named_with_the_rule_that_does_it() -> None:
    found = of((decision(), decision("shell")), (decision(), decision("shell")), (decision(), decision()))
    assert (found.replayed, found.changed, found.deadlines) == (3, 2, 2)
    assert (found.flagged, found.freed) == (("web-1",), ())
    assert found.rules == (
        RuleChange(rule="shell", new=2, gone=0, breaks=2, breaks_no_more=0, otherwise=0, hosts=1),
    )
    assert found.hosts == (
        HostChange(host="web-1", changed=2, before=0, after=2, would_before=0, would_after=0),
    )
    assert found.actions == (ActionChange(action="flag", new=2, gone=0),)


def test_a_host_is_freed_only_when_nothing_flags_it_any_more() -> None:
    two = (decision("shell"), decision("sftp"))
    assert of(*((one, decision()) for one in two)).freed == ("web-1",)
    left = of((two[0], decision()), (two[1], two[1]))
    assert (left.freed, left.hosts[0].before, left.hosts[0].after) == ((), 2, 1)


def test_a_host_that_is_flagged_more_often_is_not_newly_flagged() -> None:
    found = of((decision("shell"), decision("shell")), (decision(), decision("sftp")))
    assert (found.flagged, found.hosts[0].before, found.hosts[0].after) == ((), 1, 2)


def test_what_is_held_back_is_no_flag_and_is_counted_apart() -> None:
    held = decision("shell", actions=[], would=["flag"], allowed=True, violations=[])
    found = of((decision(), held))
    assert (found.flagged, found.changed) == ((), 1)
    assert (found.hosts[0].after, found.hosts[0].would_after) == (0, 1)
    assert of((held, decision("shell"))).flagged == ("web-1",)


def test_another_severity_and_an_exemption_are_otherwise_said() -> None:
    milder, excused = decision("shell"), decision("shell")
    milder["findings"][0]["severity"] = "low"
    excused["findings"][0]["exemption"] = "E-1"
    for after in (milder, excused):
        assert [one.otherwise for one in of((decision("shell"), after)).rules] == [1]


def test_a_finding_that_no_more_breaks_the_seal_is_told_from_one_that_is_gone() -> None:
    recorded = decision("shell", violations=[], actions=[], allowed=True)
    [rule] = of((decision("shell"), recorded)).rules
    assert (rule.gone, rule.breaks_no_more, rule.otherwise) == (0, 1, 0)


def test_refused_and_admitted_plays_are_named_with_the_first_sentence() -> None:
    no = decision("patched", actions=["refuse"])
    found = of((decision(), no), (decision(), no), asks="play", about="Patch", host=None)
    assert found.refused == (Turned(asks="play", about="Patch", times=2, why="patched."),)
    assert (found.hosts, found.flagged, found.rules[0].hosts) == ((), (), 0)
    back = of((no, decision()), asks="login", about="alice@web-1")
    assert back.admitted == (Turned(asks="login", about="alice@web-1", times=1, why="patched."),)


def test_an_event_that_flags_is_no_refusal() -> None:
    assert of((decision(), decision("shell"))).refused == ()


def test_what_gets_no_decision_is_never_dropped() -> None:
    found = of((decision("shell"), None), (None, decision()), (None, None), (decision(), {"allowed": "yes"}))
    assert (found.replayed, found.changed, found.decided, found.never) == (4, 3, 1, 1)
    assert found.undecided == (Turned(asks="event", about="web-1", times=2, why="no decision"),)
    assert found.freed == ("web-1",)


def test_an_event_that_cannot_be_judged_any_more_counts_as_undecided() -> None:
    unjudged = decision("malformed_input")
    found = of((decision(), unjudged), (unjudged, unjudged))
    assert [(one.about, one.times) for one in found.undecided] == [("web-1", 1)]


def test_what_is_no_decision_is_none() -> None:
    for raw in (None, [], {}, "x", {**decision(), "findings": [{}]}, {**decision(), "actions": "flag"}):
        assert outcome(raw) is None
    old = decision("shell")
    del old["would"], old["deadline_seconds"]
    assert outcome(old) is not None


def test_names_are_counted_up_to_a_bound_and_no_further(monkeypatch: Any) -> None:
    monkeypatch.setattr("hostseal.core.preview.NAMED", 3)
    tally = Tally()
    no = outcome(decision("patched", actions=["refuse"]))
    for number in range(10):
        tally.add(
            Replayed(asks="play", about=f"play {number}", host=None, before=outcome(decision()), after=no)
        )
    assert [(one.about, one.times) for one in tally.preview().refused] == [
        ("others", 7), ("play 0", 1), ("play 1", 1), ("play 2", 1),
    ]  # fmt: skip
