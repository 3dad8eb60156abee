"""A real agent and its ledger: everything arrives once and in order, whatever is killed; flags arrive at once."""

import base64
import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.record import wait_until
from hostseal.core.event import EventType
from hostseal.core.text import faithful
from hostseal.daemon import Daemon
from hostseal.ledger import checkpoints, witness
from hostseal.ledger.search import Query
from hostseal.ledger.verify import verify
from hostseal.policy import bundle
from hostseal.trial import opa_child
from hostseal.trial.session import SITE, policies
from integration.ledger.agent import CHANGED, HOST, LOGIN, Agent
from integration.ledger.server import LedgerServer


@pytest.fixture(scope="module")
def opa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real OPA with the policies; its address."""
    folder = tmp_path_factory.mktemp("opa")
    program = opa_child.find()
    bundle.build(program, policies(), SITE, folder / "bundle.tar.gz", None)
    with opa_child.running(program, folder / "bundle.tar.gz", folder / "decisions.jsonl") as url:
        yield url


@pytest.fixture
def agent(tmp_path: Path, opa: str, ledger: LedgerServer) -> Agent:
    """An agent that has a token."""
    return Agent(tmp_path, opa, ledger, ledger.token(HOST))


def found(ledger: LedgerServer, kind: str) -> list[Any]:
    with ledger.book() as book:
        return list(book.records(Query(host=HOST, kind=kind)))


def status(daemon: Daemon) -> dict[str, Any]:
    told: dict[str, Any] = daemon.status()["ledger"]
    return told


def caught_up(daemon: Daemon) -> bool:
    spool = daemon.status()["spool"]
    return spool["pending"] == 0 and status(daemon)["sent_seq"] == spool["last_seq"]


def test_events_arrive_once_and_in_order_with_their_receipts_though_the_ledger_is_killed(
    agent: Agent, ledger: LedgerServer
) -> None:
    with agent.running() as daemon:
        for number in range(60):
            if number in {15, 30, 45}:
                ledger.kill()
                ledger.start()
            daemon.recorder(
                EventType.LOGIN_REQUESTED, {**LOGIN, "user": f"u{number}"}, sensor="test", key=str(number)
            )
        wait_until(lambda: caught_up(daemon), what="everything is in the ledger")
        last = daemon.status()["spool"]["last_seq"]
    records = found(ledger, "event")
    assert [record.seq for record in records] == list(range(1, last + 1))
    logins = [record for record in records if record.type == "login.requested"]
    assert [record.user for record in logins] == [f"u{number}" for number in range(60)]
    assert all(
        record.ref == record.body["decision_id"] and record.body["decision"]["allowed"] for record in logins
    )


def test_an_agent_that_was_restarted_goes_on_where_it_was(agent: Agent, ledger: LedgerServer) -> None:
    for _ in range(3):
        with agent.running() as daemon:
            wait_until(lambda: caught_up(daemon), what="everything is in the ledger")
    sequence = [record.seq for record in found(ledger, "event")]
    assert sequence == list(range(1, len(sequence) + 1))
    assert len(sequence) >= 5


def test_a_flag_arrives_at_once_with_its_decision_and_then_the_outcome_of_its_action(
    agent: Agent, ledger: LedgerServer
) -> None:
    with agent.running() as daemon:
        wait_until(lambda: caught_up(daemon), what="the agent has started")
        began = time.monotonic()
        daemon.recorder(EventType.FILES_CHANGED, CHANGED, sensor="test", key="change")
        wait_until(lambda: found(ledger, "flag"), seconds=10, what="the flag")
        assert time.monotonic() - began < 5
        daemon.recorder(EventType.FILES_CHANGED, {**CHANGED, "count": 2}, sensor="test", key="another change")
        wait_until(lambda: found(ledger, "action"), what="the action's outcome")
        wait_until(lambda: caught_up(daemon), what="everything is in the ledger")
        incident = daemon.flag.now.incident
        assert incident is not None
    [flag] = found(ledger, "flag")
    assert (flag.id, flag.type, flag.body["event"]["type"]) == (incident.id, "policy", "files.changed")
    assert flag.body["decision"]["actions"] == ["flag"]
    [action] = found(ledger, "action")
    assert (action.type, action.ref, action.body["state"]) == ("flag", incident.id, "done")
    with ledger.book() as book:
        [standing] = [flag for flag in book.open_flags() if flag.cause == "policy"]
    assert (standing.id, standing.host, standing.reasons) == (incident.id, HOST, incident.reasons[:1])
    assert standing.deadline is not None


def test_what_the_agent_was_told_is_a_witness_and_finds_a_ledger_that_was_cut_and_signed_again(
    agent: Agent, ledger: LedgerServer, tmp_path: Path
) -> None:
    with agent.running() as daemon:
        wait_until(lambda: caught_up(daemon), what="everything is in the ledger")
    ledger.stop()
    told = list(witness.read([agent.state / "witness.jsonl"]))
    keys = checkpoints.public_keys((ledger.data / "keys").glob("*.pub"))
    assert verify(ledger.data / "ledger.db", keys, told).findings == ()
    cut(ledger)
    with_witness = verify(ledger.data / "ledger.db", keys, told)
    assert {finding.trouble for finding in with_witness.findings} == {"cut"}
    assert verify(ledger.data / "ledger.db", keys, []).findings == ()


def cut(ledger: LedgerServer) -> None:
    """Take all records but the first away and have the ledger sign what is left, as whoever has its machine can."""
    import sqlite3

    with sqlite3.connect(ledger.data / "ledger.db", isolation_level=None) as db:
        db.execute("DELETE FROM records WHERE position > (SELECT min(position) FROM records)")
        db.execute("DELETE FROM checkpoints")
    db.close()
    ledger.start()
    ledger.stop()


def test_an_agent_tells_when_its_ledger_has_lost_records_and_sends_them_again(
    agent: Agent, ledger: LedgerServer
) -> None:
    with agent.running() as daemon:
        wait_until(lambda: caught_up(daemon), what="everything is in the ledger")
        before = [record.id for record in found(ledger, "event")]
        ledger.stop()
        cut(ledger)
        ledger.start()
        wait_until(lambda: "has lost records" in (daemon.trouble() or ""), what="the agent says so")
        wait_until(lambda: [record.id for record in found(ledger, "event")] == before, what="they are back")


def test_a_ledger_that_refuses_or_is_away_is_trouble_to_see_and_nothing_else(
    agent: Agent, ledger: LedgerServer
) -> None:
    with ledger.book() as book:
        book.revoke_tokens(HOST)
    with agent.running() as daemon:
        wait_until(lambda: "401" in (daemon.trouble() or ""), what="the refusal is shown")
        ledger.stop()
        wait_until(lambda: "does not answer" in (daemon.trouble() or ""), what="the silence is shown")
        daemon.recorder(EventType.FILES_CHANGED, CHANGED, sensor="test", key="change")
        wait_until(lambda: daemon.flag.now.incident is not None, what="the host is flagged all the same")
        ledger.start()
        (Path(agent.settings.ledger.token_file)).write_text(ledger.token(HOST))
        wait_until(lambda: caught_up(daemon), what="everything is in the ledger")
        assert status(daemon)["trouble"] is None


def test_a_killed_agent_is_flagged_within_three_heartbeats_and_a_stopped_ledger_flags_nobody(
    agent: Agent, ledger: LedgerServer
) -> None:
    with agent.running() as daemon:
        wait_until(lambda: caught_up(daemon), what="everything is in the ledger")
        ledger.stop()
        time.sleep(2)  # longer than three heartbeats: what is tested is that nothing follows from it
        ledger.start()
        wait_until(lambda: status(daemon)["trouble"] is None, what="the agent is back")
        with ledger.book() as book:
            assert book.open_flags() == []
    with ledger.book() as book:
        [flag] = wait_until(book.open_flags, seconds=10, what="the host is flagged")
        assert (flag.host, flag.cause, flag.writer) == (HOST, "silent", "ledger")
        assert "silent for 3 heartbeats of 0.5 s" in flag.reasons[0]
        book.retire(HOST, {"host": HOST, "successor": "web-1-g2"}, id="replacement-1")
        assert book.open_flags() == []


def test_a_spool_that_went_back_is_flagged(agent: Agent, ledger: LedgerServer) -> None:
    for _ in range(2):
        with agent.running() as daemon:
            wait_until(lambda: caught_up(daemon), what="everything is in the ledger")
    for file in agent.state.glob("spool.db*"):
        file.unlink()
    with agent.running() as daemon, ledger.book() as book:
        flags = wait_until(
            lambda: [flag for flag in book.open_flags() if flag.cause == "rollback"],
            what="the rollback is flagged",
        )
    assert all("went back" in flag.reasons[0] for flag in flags)


def test_events_that_an_agent_says_it_handled_and_never_sent_are_a_gap(ledger: LedgerServer) -> None:
    token = ledger.token(HOST)
    beat = {"last_seq": 9, "done_seq": 9, "pending": 0, "boot_id": "b", "standing": "sealed", "version": "1"}

    def send(*numbers: int) -> None:
        records = [
            {
                "kind": "event",
                "id": f"e{number}",
                "host": HOST,
                "time": "2026-11-24T12:00:00.000000Z",
                "body": {
                    "event": {"id": f"e{number}", "seq": number, "host": {"name": HOST}},
                    "decision_id": None,
                },
            }
            for number in numbers
        ]
        assert (
            ledger.post("/v1/records", token, {"host": HOST, "heartbeat": beat, "records": records})[0] == 200
        )

    send(1, 2, 5)

    def flagged() -> list[str]:
        send()
        with ledger.book() as book:
            return [flag.reasons[0] for flag in book.open_flags() if flag.cause == "gap"]

    assert wait_until(flagged, seconds=20, what="the gap is flagged") == [
        "of its events 3 to 9, which it says it has handled, some never arrived"
    ]
    with ledger.book() as book:
        assert [(gap.missing, gap.first, gap.last) for gap in book.gaps(0)] == [("events", 3, 4)]


def test_a_record_that_the_ledger_does_not_take_holds_up_no_heartbeat_and_is_raised_as_a_gap(
    agent: Agent, ledger: LedgerServer
) -> None:
    with agent.running() as daemon:
        wait_until(lambda: caught_up(daemon), what="the agent has started")
        huge = {**LOGIN, "user": secrets.token_hex(3 << 20)}
        for number, data in enumerate((LOGIN, huge, LOGIN)):
            daemon.recorder(EventType.LOGIN_REQUESTED, data, sensor="test", key=str(number))
        with ledger.book() as book:
            [flag] = wait_until(book.open_flags, seconds=30, what="the gap is flagged")
        assert (flag.cause, "413" in (daemon.trouble() or "")) == ("gap", True)
        assert found(ledger, "event")[-1].user == "alice"


def test_the_largest_event_there_is_arrives(agent: Agent, ledger: LedgerServer) -> None:
    """200 paths, each as long as a path can be, of bytes that are no text: what anybody can make a sensor report."""
    names = [secrets.token_bytes(4000) for _ in range(200)]
    paths = [
        {"path": faithful(name), "raw": base64.b64encode(name).decode(), "what": ["created"], "sha256": secrets.token_hex(32), "expected": False,
         "seal": "broken", "class": None, "differs": ["content"], "lays": None}
        for name in names
    ]  # fmt: skip
    with agent.running() as daemon:
        wait_until(lambda: caught_up(daemon), what="the agent has started")
        daemon.recorder(
            EventType.FILES_CHANGED, {**CHANGED, "paths": paths, "count": 200}, sensor="test", key="large"
        )
        wait_until(lambda: found(ledger, "flag"), what="the flag is in the ledger")
        wait_until(lambda: caught_up(daemon), what="everything is in the ledger")
        assert daemon.trouble() is None
    assert [
        record.body["event"]["data"]["count"]
        for record in found(ledger, "event")
        if record.type == "files.changed"
    ] == [200]


def test_the_agents_own_settings_name_what_is_wrong_with_them(tmp_path: Path) -> None:
    from hostseal.config.load import load
    from hostseal.errors import ConfigError

    file = tmp_path / "10.toml"
    for url in ("http://192.0.2.7:8443", "192.0.2.7", "https://", "https://[::1", "https://x:99999"):
        file.write_text(f"[ledger]\nurl = {json.dumps(url)}\n")
        with pytest.raises(ConfigError, match=r"ledger\.url") as refused:
            load([file])
        assert refused.value.hint == f"{file}:2"
