"""What a grant may be called, and what its certificate says."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostseal.core.break_glass import DRILL_COMMAND, Grant, seconds, terms, total_seconds
from hostseal.errors import BreakGlassError

NOW = 1_767_323_045  # 2026-01-02T03:04:05Z
INSTANCE = "97f70f8ffec04d73afb0ef26920bf1bd"


def grant(**changes: Any) -> Grant:
    fields: dict[str, Any] = {
        "id": "8ce25aeb-41b9-49de-abfd-691110332cc6",
        "user": "alice",
        "host": "web-1",
        "instance": INSTANCE,
        "ticket": "INC-1",
        "reason": "the disk is full",
        "person": "carol",
        "began": "2026-01-02T03:04:05.000000Z",
    }
    return Grant(**{**fields, **changes})


def test_a_certificate_says_who_where_how_long_and_why() -> None:
    made = terms(grant(source="192.0.2.0/24"), 7, NOW, 1800, ("permit-pty",))
    assert made.key_id == "INC-1 by carol for alice on web-1: the disk is full"
    assert made.principal == f"alice@{INSTANCE}"
    assert (made.valid_after, made.valid_before) == (NOW - 60, NOW + 1800)
    assert made.critical_options == {"source-address": "192.0.2.0/24"}
    assert made.extensions == {
        "permit-pty": "",
        "ticket@hostseal": "INC-1",
        "reason@hostseal": "the disk is full",
        "person@hostseal": "carol",
        "grant@hostseal": "8ce25aeb-41b9-49de-abfd-691110332cc6",
        "began@hostseal": "2026-01-02T03:04:05.000000Z",
    }


def test_a_drill_may_only_show_that_it_works() -> None:
    made = terms(grant(drill=True), 7, NOW, 1800, ("permit-pty", "permit-port-forwarding"))
    assert made.critical_options == {"force-command": DRILL_COMMAND}
    assert not any(name.startswith("permit-") for name in made.extensions)


def test_an_extension_counts_from_when_the_grant_began() -> None:
    assert total_seconds(grant(), NOW, 1800) == 1800
    assert total_seconds(grant(), NOW + 3000, 1800) == 4800


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("user", ""),
        ("user", "alice bob"),
        ("user", "alice,root"),
        ("user", "alice@web-1"),
        ("user", "-oProxyCommand=x"),
        ("user", "alice\n"),
        ("user", "a" * 65),
        ("host", "web-1;id"),
        ("host", "../web-1"),
        ("instance", "web-1"),
        ("instance", ""),
        ("instance", f"{INSTANCE} "),
        ("ticket", ""),
        ("ticket", "INC 1"),
        ("ticket", "T" * 65),
        ("reason", ""),
        ("reason", "  "),
        ("reason", "two\nlines"),
        ("reason", "\x1b[31mred"),
        ("reason", "\u202ebackwards"),
        ("reason", "r" * 201),
        ("person", "carol\t"),
        ("source", "everywhere"),
        ("source", "192.0.2.1/24"),
        ("source", "fe80::1%eth0,0.0.0.0/0"),
    ],
)
def test_what_could_break_out_of_a_line_or_a_list_is_refused_by_name(field: str, text: str) -> None:
    with pytest.raises(BreakGlassError, match=f"^{'from' if field == 'source' else field}: "):
        grant(**{field: text})


@given(st.text(max_size=80))
def test_whatever_is_accepted_is_one_printable_line(text: str) -> None:
    for field in ("user", "host", "ticket", "reason", "person"):
        try:
            made = terms(grant(**{field: text}), 1, NOW, 60, ())
        except BreakGlassError:
            continue
        assert made.key_id.isprintable()
        assert made.principal.count("@") == 1
        assert "," not in made.principal


@pytest.mark.parametrize(
    ("text", "expected"), [("30m", 1800), ("1h", 3600), ("1h30m", 5400), ("90s", 90), ("2h3m4s", 7384)]
)
def test_times(text: str, expected: int) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "0m", "30", "-30m", "1d", "30m1h", "1.5h", "99999m", "٣m", "m"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(BreakGlassError, match="is not a time"):
        seconds(text)
