"""What the policy is asked about: an event as it was observed, without the texts of files."""

from pathlib import Path

import msgspec
import pytest

from hostseal.core.event import Event, question

SAMPLES = Path(__file__).parents[2] / "samples" / "events"


def load(name: str) -> Event:
    return msgspec.json.decode((SAMPLES / f"{name}.json").read_bytes(), type=Event)


@pytest.mark.parametrize("diff", [None, {"text": "+secret plans", "masked": 0, "cut": False}])
def test_a_diff_is_left_out_and_stays_in_the_event(diff: object) -> None:
    event = load("files_changed_by_person")
    event.data["paths"][0]["diff"] = diff
    asked = question(event)
    assert asked == msgspec.to_builtins(load("files_changed_by_person"))
    assert event.data["paths"][0]["diff"] == diff


def test_every_other_event_is_asked_about_as_it_is() -> None:
    names = [path.stem for path in SAMPLES.glob("*.json")]
    assert len(names) > 20
    for name in names:
        assert question(load(name)) == msgspec.to_builtins(load(name))
