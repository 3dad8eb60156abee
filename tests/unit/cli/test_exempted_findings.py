"""A finding that an exemption covers is shown with the exemption's id, wherever decisions are told."""

import json
from pathlib import Path

from click.testing import CliRunner

from hostseal.cli.explain import explain
from hostseal.cli.session import page
from hostseal.clock import SystemClock
from hostseal.core.session_story import SessionName, tell
from hostseal.ledger import store
from hostseal.ledger.book import Ledger
from hostseal.ledger.entry import Entry

TIME = "2026-11-24T12:00:00.000000Z"
SHELL = json.loads((Path(__file__).parents[2] / "samples/events/channel_shell.json").read_bytes())
COUNTED = {"rule": "a", "severity": "high", "message": "It happened.", "controls": ["NIST CM-5"]}
DECISION = {
    "findings": [COUNTED, {**COUNTED, "rule": "b", "exemption": "EX-7"}],
    "actions": ["flag"],
    "would": [],
}
LINES = ["high, a: It happened. [NIST CM-5]", "high, b (exempt: EX-7): It happened. [NIST CM-5]"]


def test_explain_names_the_exemption(tmp_path: Path) -> None:
    body = {"event": SHELL, "decision_id": "d", "decision": DECISION}
    flag = {"host": "web-1", "reasons": ["It happened."], "deadline": None}
    with Ledger.make(tmp_path, SystemClock()) as ledger:
        for kind, name, what, more in (
            ("event", SHELL["id"], body, {"type": SHELL["type"], "seq": 1, "ref": "d"}),
            ("flag", "incident-1", flag, {"type": "policy", "ref": SHELL["id"]}),
        ):
            entry = Entry(
                kind=kind,
                host="web-1",
                id=name,
                writer="w",
                time=TIME,
                body=json.dumps(what).encode(),
                **more,
            )
            store.append(ledger.database, [entry], TIME)
    done = CliRunner().invoke(explain, ["web-1", "--data", str(tmp_path)], catch_exceptions=False)
    assert [line.strip() for line in done.output.splitlines() if line.strip() in LINES] == LINES


def test_a_sessions_story_names_the_exemption() -> None:
    record = {"event": SHELL, "decision": DECISION, "decision_id": "d", "decided": TIME}
    name = SessionName(
        boot_id=SHELL["host"]["boot_id"], audit_session=SHELL["data"]["session"]["audit_session"]
    )
    told = [text for _, text in page(tell(name, [record], ()))]
    assert [text for text in told if text in LINES] == LINES
