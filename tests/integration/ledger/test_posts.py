"""What the ledger answers to posts that are not as they should be: a status, a sentence, and nothing half-written."""

import gzip
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from integration.ledger.conftest import event
from integration.ledger.server import LedgerServer

HOST = "web-1-g1"
TIME = "2026-11-24T12:00:00.123456789Z"
HEARTBEAT = {"last_seq": 1, "done_seq": 1, "pending": 0, "boot_id": "b", "standing": "sealed", "version": "1"}
MIB = 1 << 20


def decision(name: str, host: str = HOST, **more: object) -> dict[str, Any]:
    return {"decision_id": name, "timestamp": TIME, "input": {"event": event(host, 1)}, **more}


def report(number: int = 1, host: str = HOST, named: str = HOST, **body: object) -> dict[str, Any]:
    inner = {"event": event(named, number), "decision_id": "d", **body}
    return {"kind": "event", "id": inner["event"]["id"], "host": host, "time": TIME, "body": inner}


def agents(*records: object, host: object = HOST, heartbeat: object = HEARTBEAT) -> dict[str, Any]:
    return {"host": host, "heartbeat": heartbeat, "records": list(records)}


def packed(content: object) -> bytes:
    return gzip.compress(json.dumps(content).encode())


GZIP = {"Content-Encoding": "gzip"}
GOOD = packed([decision("d1")])
BAD_POSTS = [
    pytest.param("/logs", b"\x1f\x8b nonsense", GZIP, 400, "not gzip", id="damaged gzip"),
    pytest.param("/logs", GOOD[:-9], GZIP, 400, "ends too early", id="gzip cut short"),
    pytest.param("/logs", GOOD + b"tail", GZIP, 400, "not gzip", id="gzip with a tail"),
    pytest.param("/logs", b"", {}, 400, "not a decision log", id="nothing"),
    pytest.param("/logs", b"[{", {}, 400, "not a decision log", id="JSON cut short"),
    pytest.param("/logs", b'["\xff"]', {}, 400, "not a decision log", id="not UTF-8"),
    pytest.param("/logs", b"{}", {}, 400, "not a decision log", id="no array"),
    pytest.param("/logs", b"[1]", {}, 400, "not a decision log", id="no entry"),
    pytest.param("/logs", packed([decision("d1"), {}]), GZIP, 400, "decision_id", id="no decision id"),
    pytest.param("/logs", packed([decision("d1"), decision("")]), GZIP, 400, "length", id="empty id"),
    pytest.param("/logs", packed([decision("x" * 257)]), GZIP, 400, "length", id="endless id"),
    pytest.param("/logs", packed([{**decision("d1"), "decision_id": 7}]), GZIP, 400, "str", id="id of a wrong type"),
    pytest.param("/logs", packed([{**decision("d1"), "timestamp": "half past nine or so"}]), GZIP, 400, "this is not a decision log", id="no time"),
    pytest.param("/logs", b'[{"decision_id":"\\ud800","timestamp":"2026-11-24T12:00:00Z"}]', {}, 400, "this is not a decision log", id="half a character"),
    pytest.param("/logs", b'[{"decision_id":"d","timestamp":"2026-11-24T12:00:00Z","input":' + b"[" * 100_000 + b"]" * 100_000 + b"}]", {}, 400, "not a decision log", id="nested too deep"),
    pytest.param("/logs", packed([]), {"Content-Encoding": "br"}, 415, "neither gzip nor none", id="another encoding"),
    pytest.param("/logs", b"x" * (3 * MIB + 1), {}, 413, "larger than", id="too large"),
    pytest.param("/logs", gzip.compress(bytes(9 * MIB)), GZIP, 413, "unpacks to more", id="unpacks to too much"),
    pytest.param("/v1/records", b"[]", {}, 400, "not an agent's post", id="agent: no object"),
    pytest.param("/v1/records", packed(agents(heartbeat={})), GZIP, 400, "last_seq", id="agent: no numbers"),
    pytest.param("/v1/records", packed(agents(heartbeat={**HEARTBEAT, "last_seq": -1})), GZIP, 400, ">= 0", id="agent: a negative number"),
    pytest.param("/v1/records", packed(agents(report(), {"kind": "guess"})), GZIP, 400, "guess", id="agent: unknown kind"),
    pytest.param("/v1/records", packed(agents(report(), {**report(2), "id": "other"})), GZIP, 400, "same id", id="agent: another id"),
    pytest.param("/v1/records", packed(agents(report(), {**report(2), "body": 7})), GZIP, 400, "not an object", id="agent: body of a wrong type"),
    pytest.param("/v1/records", packed(agents({**report(), "kind": "action"})), GZIP, 400, "needs an action", id="agent: no action"),
    pytest.param("/v1/records", packed({**agents(), "more": 1}), GZIP, 400, "more", id="agent: unknown field"),
    pytest.param("/v1/records", packed(agents(*[report()] * 1001)), GZIP, 400, "length", id="agent: too many"),
]  # fmt: skip


def kept(ledger: LedgerServer) -> list[tuple[str, str]]:
    """Return kind and id of all records but the tokens'."""
    with ledger.book() as book:
        return [(record.kind, record.id) for record in book.records() if record.kind != "token"]


@pytest.mark.parametrize(("path", "body", "headers", "status", "sentence"), BAD_POSTS)
def test_a_bad_post_is_refused_with_a_sentence_and_nothing_of_it_is_kept(
    shared: tuple[LedgerServer, str],
    path: str,
    body: bytes,
    headers: dict[str, str],
    status: int,
    sentence: str,
) -> None:
    ledger, token = shared
    before = kept(ledger)
    got, answer = ledger.ask("POST", path, body, {"Authorization": f"Bearer {token}", **headers})
    assert (got, sentence in answer["error"]) == (status, True), answer
    assert kept(ledger) == before


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic eDp5", "Bearer \xff"]
)
@pytest.mark.parametrize("path", ["/logs", "/v1/records"])
def test_without_a_hosts_token_nothing_is_taken(
    shared: tuple[LedgerServer, str], path: str, authorization: str | None
) -> None:
    ledger, _ = shared
    headers = {} if authorization is None else {"Authorization": authorization}
    status, answer = ledger.ask("POST", path, GOOD, {**headers, **GZIP})
    assert (status, answer["error"]) == (401, "no host has this token")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/logs", 405), ("POST", "/nowhere", 404), ("PUT", "/v1/records", 405), ("GET", "/v1/head", 401)],
)
def test_other_requests_have_an_answer_too(
    shared: tuple[LedgerServer, str], method: str, path: str, status: int
) -> None:
    got, answer = shared[0].ask(method, path, None, {})
    assert (got, bool(answer["error"])) == (status, True)


@pytest.mark.parametrize("path", ["/logs", "//logs", "////logs", "/logs/partition", "/some/where//logs"])
def test_the_decision_log_is_taken_with_any_slashes(shared: tuple[LedgerServer, str], path: str) -> None:
    ledger, token = shared
    status, answer = ledger.post(path, token, [decision(f"slashes {path}")])
    assert (status, answer["stored"]) == (200, 1)
    assert ledger.post("/logs", token, [decision(f"slashes {path}")])[1]["known"] == 1


def test_a_decision_about_another_host_is_refused_on_record_and_the_rest_is_kept(
    ledger: LedgerServer,
) -> None:
    token = ledger.token(HOST)
    batch = [decision("mine"), decision("theirs", "web-9-g1"), decision("also mine")]
    for stored in (3, 0):
        status, answer = ledger.post("/logs", token, batch)
        assert (status, answer["stored"], answer["refused"]) == (200, stored, 1)
    with ledger.book() as book:
        found = [record for record in book.records() if record.kind != "token"]
    assert [(record.kind, record.ref) for record in found] == [
        ("decision", f"{HOST}-event-1"),
        ("refusal", "theirs"),
        ("decision", f"{HOST}-event-1"),
    ]
    assert (found[1].host, found[1].body["claimed"]) == (HOST, "web-9-g1")
    assert json.loads(found[1].body["content"]) == batch[1]


@pytest.mark.parametrize(
    "post",
    [
        pytest.param(agents(report(), host="web-9-g1"), id="the post"),
        pytest.param(agents(report(), report(2, host="web-9-g1")), id="a record"),
        pytest.param(agents(report(), report(2, named="web-9-g1")), id="an event"),
    ],
)
def test_an_agent_that_writes_about_another_host_is_refused_and_that_is_on_record(
    ledger: LedgerServer, post: dict[str, Any]
) -> None:
    status, answer = ledger.post("/v1/records", ledger.token(HOST), post)
    assert (status, HOST in answer["error"]) == (403, True)
    [(kind, _)] = kept(ledger)
    assert kind == "refusal"


def test_the_same_id_with_another_content_is_kept_beside_the_first(ledger: LedgerServer) -> None:
    token = ledger.token(HOST)
    ledger.post("/logs", token, [decision("d1", result=1)])
    for _ in range(2):
        status, answer = ledger.post("/logs", token, [decision("d1", result=2)])
        assert (status, answer["stored"], answer["conflicts"]) == (200, 0, 1)
    with ledger.book() as book:
        found = [(record.kind, record.ref, record.body.get("result")) for record in book.records()]
    assert found[1:] == [("decision", f"{HOST}-event-1", 1), ("conflict", "d1", 2)]


def test_two_hosts_may_use_the_same_id(ledger: LedgerServer) -> None:
    for host in (HOST, "web-2-g1"):
        assert ledger.post("/logs", ledger.token(host), [decision("d1", host)])[1]["stored"] == 1


def test_a_revoked_token_ends_at_once(ledger: LedgerServer) -> None:
    old, new = ledger.token(HOST), ledger.token(HOST)
    assert [ledger.get("/v1/head", token)[0] for token in (old, new)] == [200, 200]
    with ledger.book() as book:
        newest = book.tokens()[-1]
        assert book.revoke_tokens(HOST, [newest.sha256]) == 1
    assert [ledger.get("/v1/head", token)[0] for token in (old, new)] == [401, 200]


def test_what_is_answered_is_on_disk(ledger: LedgerServer) -> None:
    token = ledger.token(HOST)
    status, answer = ledger.post("/logs", token, [decision("d1")])
    ledger.kill()
    with ledger.book() as book:
        assert (status, book.head().hash) == (200, answer["head"]["hash"])


def test_old_tls_and_plain_text_are_refused(ledger: LedgerServer) -> None:
    context = ssl.create_default_context(cafile=str(ledger.certificate))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    connection = http.client.HTTPSConnection("127.0.0.1", ledger.port, timeout=10, context=context)
    with pytest.raises(OSError, match="protocol"):
        connection.request("GET", "/health")
    with socket.create_connection(("127.0.0.1", ledger.port), timeout=10) as plain:
        plain.sendall(b"GET /health HTTP/1.1\r\nHost: ledger\r\n\r\n")
        assert not plain.recv(1000).startswith(b"HTTP")


def many(make: Callable[[int], bytes]) -> bytes:
    """Return a JSON array of as many entries as fit into what may be unpacked."""
    content, number = bytearray(b"["), 0
    while len(content) < 8 * MIB - 5000:
        content += (b"," if number else b"") + make(number)
        number += 1
    return gzip.compress(bytes(content + b"]"), 1)


def test_memory_stays_within_its_limit_whatever_is_posted(ledger: LedgerServer) -> None:
    token = ledger.token(HOST)
    headers = {"Authorization": f"Bearer {token}", **GZIP}
    short = many(lambda n: b'{"decision_id":"%d","timestamp":"2026-11-24T12:00:00Z"}' % n)
    long = many(lambda n: json.dumps(decision(f"long {n}", note="x" * 2000)).encode())
    one = gzip.compress(json.dumps([decision("one", note="x" * (7 * MIB))]).encode())
    ones = gzip.compress(b"[" + b"1," * (4 * MIB - 2) + b"1]")
    bomb = gzip.compress(bytes(900 * MIB), 9)
    reports = many(
        lambda n: json.dumps({"kind": "event", "id": "x", "host": "h", "time": TIME, "body": 1}).encode()
    )
    posted = [("/logs", body) for body in (short, long, one, ones, bomb)]
    posted += [("/v1/records", b'{"host":"h","records":' + reports) for _ in range(1)]
    seen: list[int] = []

    def send(path: str, body: bytes) -> None:
        seen.append(ledger.ask("POST", path, body, headers)[0])

    for path, body in posted:
        send(path, body)
    assert seen[:5] == [200, 200, 200, 400, 413]
    senders = [threading.Thread(target=send, args=one_post) for one_post in posted for _ in range(2)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert set(seen) <= {200, 400, 413, 503}
    assert ledger.rss_mb() < 120


def test_a_writer_that_never_finishes_is_let_go_and_holds_up_nobody(ledger: LedgerServer) -> None:
    token = ledger.token(HOST)
    context = ssl.create_default_context(cafile=str(ledger.certificate))
    slow = http.client.HTTPSConnection("127.0.0.1", ledger.port, timeout=60, context=context)
    slow.putrequest("POST", "/logs")
    slow.putheader("Authorization", f"Bearer {token}")
    slow.putheader("Content-Length", "1000")
    slow.endheaders(b"[")
    began = time.monotonic()
    assert ledger.post("/logs", token, [decision("d1")])[0] == 200
    assert slow.getresponse().status == 408
    assert time.monotonic() - began < 45
