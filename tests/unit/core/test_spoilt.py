"""Inputs made from schemas, and spoilt in each place."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostseal.core.spoilt import examples, spoilt

SCHEMAS = Path(__file__).parents[3] / "policies/schemas"
WHOLE = sorted(path.relative_to(SCHEMAS) for path in SCHEMAS.rglob("*.json"))


@pytest.mark.parametrize("name", WHOLE, ids=str)
def test_each_schema_has_an_example_for_each_variant_that_is_valid_but_for_patterns(name: Path) -> None:
    schema = json.loads((SCHEMAS / name).read_bytes())
    found = list(examples(schema))
    assert found
    for one in found:
        wrong = [
            error
            for error in jsonschema.Draft7Validator(schema).iter_errors(one)
            if error.validator != "pattern"
        ]
        assert [error for error in wrong if not _only_patterns(error)] == []


def _only_patterns(error: jsonschema.ValidationError) -> bool:
    """Whether a variant fails for nothing but a pattern that no example text has."""
    variants: dict[int, list[jsonschema.ValidationError]] = {}
    for below in error.context or ():
        variants.setdefault(int(below.schema_path[0]), []).append(below)
    return any(
        all(one.validator == "pattern" or _only_patterns(one) for one in some) for some in variants.values()
    )


def test_every_type_of_event_has_an_example() -> None:
    schema = json.loads((SCHEMAS / "input.json").read_bytes())
    wanted = {
        schema["definitions"][ref["$ref"].rpartition("/")[2]]["properties"]["type"]["enum"][0]
        for ref in schema["properties"]["event"]["anyOf"]
    }
    assert {one["event"]["type"] for one in examples(schema)} == wanted


VALUE: dict[str, Any] = {"a": {"b": [1, True]}, "c": "text", "d": None}


def test_each_place_is_spoilt_in_each_way() -> None:
    found = dict(spoilt(VALUE, 100))
    assert found["a.b.0 taken out"] == {"a": {"b": [True]}, "c": "text", "d": None}
    assert found["a.b.1 = False"] == {"a": {"b": [1, False]}, "c": "text", "d": None}
    assert found["c taken out"] == {"a": {"b": [1, True]}, "d": None}
    assert found["c = None"] == {"a": {"b": [1, True]}, "c": None, "d": None}
    places = {what.split(" ")[0] for what in found}
    assert places == {"a", "a.b", "a.b.0", "a.b.1", "c", "d"}


def test_a_limit_leaves_places_out_all_over_and_says_the_same_each_time() -> None:
    some = list(spoilt(VALUE, 6))
    assert len(some) == 6
    assert some == list(spoilt(VALUE, 6))
    assert {what.split(" ")[0].split(".")[0] for what, _ in some} == {"a", "c", "d"}
    assert list(spoilt({}, 6)) == []


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_each_is_another_value_and_the_first_is_left_as_it_is(value: Any) -> None:
    before = json.dumps(value)
    assert [what for what, changed in spoilt(value, 1000) if json.dumps(changed) == before] == []
    assert json.dumps(value) == before
