"""A host's history reaches the policy: the third interactive session in a day escalates, asked of a real OPA."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from hostseal.core import standing
from hostseal.core.event import Event, timestamp
from hostseal.core.standing import Standing
from hostseal.policy.engine import OpaEngine
from policy.opa_server import TOKEN, OpaServer

SAMPLE = Path(__file__).parents[1] / "samples" / "events" / "channel_shell.json"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def shell(number: int, hours: float) -> Event:
    asked = json.loads(SAMPLE.read_bytes())
    asked |= {"id": f"00000000-0000-5000-8000-{number:012}", "time": timestamp(NOON + timedelta(hours=hours))}
    asked["host"]["name"] = "flagging-1"
    return msgspec.convert(asked, Event)


def engine(server: OpaServer) -> OpaEngine:
    token = server.folder / "token"
    token.write_text(TOKEN)
    url, ca = f"https://127.0.0.1:{server.port}", server.folder / "server.pem"
    return OpaEngine(url, ca=ca, token_file=token, timeout_seconds=5)


def rules_found(server: OpaServer, *hours: float) -> list[list[str]]:
    """Return which rules found something in each of the shells at these hours, each event decided twice."""
    opa, now, found = engine(server), Standing(), []
    for number, hour in enumerate(hours):
        event = shell(number, hour)
        first = opa.decide(event, now).decision
        now = standing.decided(now, event, first, NOON)
        assert opa.decide(event, now).decision == first
        found.append([finding.rule for finding in first.findings])
    return found


def test_the_third_session_in_a_day_escalates(server: OpaServer) -> None:
    once = ["interactive_session"]
    assert rules_found(server, 0, 10, 24) == [once, once, [*once, "repeated_sessions"]]


def test_the_third_session_after_a_day_does_not(server: OpaServer) -> None:
    assert rules_found(server, 0, 10, 24.25) == [["interactive_session"]] * 3
