"""`hostseal ledger` as people and programs use it: what it prints and how it exits."""

import json
import sqlite3
import subprocess
from pathlib import Path

import pytest

from hostseal.clock import SystemClock
from hostseal.ledger.book import Ledger
from integration.ledger.server import HOSTSEAL, LedgerServer
from integration.ledger.test_posts import HOST, agents, decision, report

Done = subprocess.CompletedProcess[str]


def run(data: Path, *words: str) -> Done:
    return subprocess.run(
        [HOSTSEAL, "ledger", *words, "--data", data], capture_output=True, text=True, check=False, timeout=60
    )


def test_from_the_first_token_to_the_check(ledger: LedgerServer) -> None:
    token = run(ledger.data, "token", "add", HOST).stdout.strip()
    assert token not in (ledger.data / "ledger.db").read_bytes().decode("latin-1")
    ledger.post("/logs", token, [decision("d1"), decision("d2", "web-9-g1")])
    ledger.post("/v1/records", token, agents({**report(), "body": {**report()["body"], "decision_id": "d1"}}))
    listed = [json.loads(line) for line in run(ledger.data, "token", "list", "--json").stdout.splitlines()]
    assert [one["host"] for one in listed] == [HOST]
    found = run(ledger.data, "search", "--host", HOST, "--json")
    assert [json.loads(line)["kind"] for line in found.stdout.splitlines()] == [
        "token",
        "decision",
        "refusal",
        "event",
    ]
    assert run(ledger.data, "search", "--kind", "decision", "--until", "2026-11-24T12:00:00").stdout == ""
    table = run(ledger.data, "search", "--kind", "decision", "--since", "2026-11-24").stdout
    assert table.startswith("#2 2026-11-24T12:00:00.123 web-1-g1 ")
    assert run(ledger.data, "gaps", "--grace", "0").returncode == 0
    ledger.stop()
    done = run(ledger.data, "verify")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "whole")
    assert run(ledger.data, "token", "revoke", HOST).returncode == 0
    assert run(ledger.data, "token", "revoke", HOST).returncode == 1


def test_a_change_has_its_own_exit_code_and_is_named(ledger: LedgerServer) -> None:
    ledger.post("/logs", ledger.token(HOST), [decision("d1")])
    ledger.stop()
    with sqlite3.connect(ledger.data / "ledger.db") as db:
        db.execute("UPDATE records SET user = 'bob' WHERE position = 2")
    db.close()
    done = run(ledger.data, "verify", "--indexes")
    assert done.returncode == 6
    assert "BAD  edited: record 2 does not follow" in done.stdout
    told = json.loads(run(ledger.data, "verify", "--json").stdout)
    assert [finding["position"] for finding in told["findings"]] == [2]


def test_what_is_missing_has_its_own_exit_code_and_is_named(ledger: LedgerServer) -> None:
    token = ledger.token(HOST)
    lost = {"event": {**report(5)["body"]["event"]}, "decision_id": "lost"}
    ledger.post("/v1/records", token, agents(report(1, decision_id="d1"), {**report(5), "body": lost}))
    ledger.post("/logs", token, [decision("d1")])
    done = run(ledger.data, "gaps", "--grace", "0", "--json")
    assert done.returncode == 7
    gaps = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(gap["missing"], gap["first"], gap["last"], gap["id"]) for gap in gaps] == [
        ("events", 2, 4, ""),
        ("decision", 0, 0, "lost"),
    ]
    ledger.post(
        "/logs", token, [{**decision("late"), "input": {"event": {"id": "unseen", "host": {"name": HOST}}}}]
    )
    assert (
        "decided about event unseen, which its agent never sent"
        in run(ledger.data, "gaps", "--grace", "0").stdout
    )
    assert run(ledger.data, "gaps").returncode == 0


def test_untrusted_text_is_escaped_in_tables_and_exact_in_json(ledger: LedgerServer) -> None:
    evil = "al\x1b[31mice\n\u202e"
    entry = decision("d\x1b1")
    entry["input"]["event"]["data"]["user"] = evil
    ledger.post("/logs", ledger.token(HOST), [entry])
    table = run(ledger.data, "search", "--kind", "decision").stdout
    assert "al\\x1b[31mice\\n\\u202e" in table
    assert not set("\x1b\u202e") & set(table)
    assert json.loads(run(ledger.data, "search", "--user", evil, "--json").stdout)["user"] == evil


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("search",), 1, "there is no ledger at"),
        (("verify",), 1, "there is no ledger at"),
        (("search", "--since", "yesterday"), 2, "does not match"),
        (("token", "add", " "), 2, "text without blanks"),
        (("token", "revoke", HOST, "--keep", "ab"), 2, "8 digits or more"),
        (("serve", "--listen", "nowhere", "--certificate", "/etc/hostname", "--certificate-key", "/etc/hostname", "--checkpoint-key", "/etc/hostname"), 2, "is not like 0.0.0.0:8443"),
        (("serve", "--certificate", "/etc/hostname", "--certificate-key", "/etc/hostname", "--checkpoint-key", "/etc/hostname"), 1, "the checkpoint key cannot be read"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_a_sentence(
    tmp_path: Path, words: tuple[str, ...], status: int, says: str
) -> None:
    done = run(tmp_path / "none", *words)
    assert (done.returncode, says in done.stderr, "Traceback" in done.stderr) == (status, True, False), (
        done.stderr
    )


def test_a_port_in_use_and_a_wrong_certificate_are_said(ledger: LedgerServer, tmp_path: Path) -> None:
    files = [
        "--certificate",
        str(ledger.certificate),
        "--checkpoint-key",
        str(ledger.folder / "checkpoint.key"),
    ]
    where = ["serve", "--listen", f"127.0.0.1:{ledger.port}", *files, "--certificate-key"]
    done = run(tmp_path / "other", *where, str(ledger.folder / "ledger.key"))
    assert (done.returncode, "cannot listen" in done.stderr) == (1, True)
    done = run(tmp_path / "other", *where, str(ledger.folder / "checkpoint.key"))
    assert (done.returncode, "the certificate cannot be used" in done.stderr) == (1, True)


def test_the_fleets_records_stand_beside_the_hosts(tmp_path: Path) -> None:
    with Ledger.make(tmp_path, SystemClock()) as book:
        for _ in range(2):
            receipt = book.append("replacement", HOST, {"successor": "web-1-g2"}, id="r1", type="verifying")
        assert (receipt.outcome.known, receipt.head.count) == (1, 1)
        assert [record.body for record in book.records()] == [{"successor": "web-1-g2"}]
        clash = book.append("replacement", HOST, {"successor": "web-1-g3"}, id="r1", type="verifying")
        assert clash.outcome.conflicts == 1
