"""Each type of event in a few words; what breaks the seal is named first."""

import json
from pathlib import Path
from typing import Any

import pytest

from hostseal.cli.record import summary
from hostseal.cli.summaries import SUMMARIES
from hostseal.core.event import EventType

SAMPLES = Path(__file__).parents[2] / "samples" / "events"
PLAIN = {"agent.started", "agent.stopped"}


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_bytes())
    return found


def test_every_type_has_words() -> None:
    assert {str(kind) for kind in EventType} - PLAIN == set(SUMMARIES)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_a_sample_is_told_in_its_types_words(path: Path) -> None:
    event = sample(path.stem)
    assert summary(event) == SUMMARIES.get(event["type"], lambda data: summary(event))(event["data"])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("files_changed_touched", "1 change(s) by /usr/bin/cp in tidy.service: /etc/issue (unchanged)"),
        (
            "files_changed_by_design",
            (
                "2 change(s) by /usr/bin/mv in networking.service: /etc/resolv.conf (by design: resolv_conf),"
                " /etc/resolv.conf.dhclient-new.417 (unchanged)"
            ),
        ),
        (
            "files_changed_by_laid",
            (
                "1 change(s) by /usr/bin/dash in cron.service, laid by alice in /etc/cron.d/tidy:"
                " /etc/passwd (breaks the seal: content, mode)"
            ),
        ),
        (
            "files_changed_persistence",
            (
                "3 change(s) by alice: /etc/cron.d/tidy (breaks the seal: added),"
                " /home/alice/.ssh/authorized_keys, /etc/resolv.conf"
            ),
        ),
        ("sensor_lost_rescanned", "agent: the agent was not running (all sensors), scanned again"),
        (
            "seal_broken_at_start",
            "2 difference(s), scan by start: /etc/hosts.allow (content), /usr/bin/odd%0Aname (added)",
        ),
        (
            "seal_untrusted",
            "/etc/hostseal/image.seal: signature, the manifest was changed, or signed by another key than this one",
        ),
    ],
)
def test_what_the_seal_has_to_do_with_it_is_said(name: str, words: str) -> None:
    assert summary(sample(name)) == words
