"""The ledger's speed and memory, on this machine, over the loopback.

    PYTHONPATH=agent:tests python -m bench.ledger [--decisions N] [--records N]

- *taken in*: decisions of OPA's size (a real one, with input and result), in batches packed as OPA packs them (32 KiB,
  its default), posted over TLS by two writers to `hostseal ledger serve`, which commits each batch (fsync) before it
  answers. The writers run on the same processors.
- *verified*: a chain of such records, by `hostseal.ledger.verify`, with as many processes as there are processors;
  once more with the smallest records, to tell the cost of a record from that of its bytes.
- memory: the most the service ever had.
"""

import argparse
import gzip
import http.client
import json
import os
import resource
import ssl
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import Any

from hostseal.ledger import checkpoints, database, links, store
from hostseal.ledger.database import Database
from hostseal.ledger.entry import Entry
from hostseal.ledger.verify import verify
from integration.ledger.server import LedgerServer

HOST, WRITERS, PACKED = "web-1-g1", 2, 32_768
ROOT = Path(__file__).parents[2]
EVENT = json.loads((ROOT / "tests/samples/events/channel_shell.json").read_bytes())
RESULT = {
    "allowed": False, "violations": ["alice (key SHA256:x) from 192.0.2.9 opened an interactive shell."],
    "findings": [{"rule": "interactive_session", "severity": "high", "message": "alice opened a shell", "controls": ["CM-5"]}],
    "actions": ["flag"], "would": [], "deadline_seconds": 3600, "host": {"mode": "flag", "class": "immutable", "groups": []},
}  # fmt: skip


def decision() -> dict[str, Any]:
    """Return an entry of a decision log, as OPA 1.20 writes it."""
    event = {**EVENT, "id": str(uuid.uuid4()), "host": {**EVENT["host"], "name": HOST}}
    return {
        "labels": {"id": str(uuid.uuid4()), "version": "1.20.2"},
        "decision_id": str(uuid.uuid4()),
        "bundles": {"hostseal": {"revision": "0" * 64}},
        "path": "hostseal/event/decision",
        "input": {"event": event, "standing": {"state": "sealed", "incident": None}},
        "result": RESULT,
        "requested_by": "127.0.0.1:50000",
        "timestamp": "2026-11-24T12:00:00.123456789Z",
        "metrics": {"counter_server_query_cache_hit": 1, "timer_rego_input_parse_ns": 50_000, "timer_server_handler_ns": 900_000},
        "req_id": 1,
    }  # fmt: skip


def batches(decisions: int) -> list[tuple[int, bytes]]:
    """Return batches of about what OPA packs into one post: how many, and the gzip."""
    size = len(gzip.compress(json.dumps([decision() for _ in range(50)]).encode())) / 50
    each = max(1, int(PACKED / size))
    return [
        (each, gzip.compress(json.dumps([decision() for _ in range(each)]).encode()))
        for _ in range(max(1, decisions // each))
    ]


def take_in(decisions: int, folder: Path) -> dict[str, float]:
    """Measure the service."""
    work = batches(decisions)
    with LedgerServer(folder) as ledger:
        token = ledger.token(HOST)
        idle = ledger.rss_mb()
        headers = {"Authorization": f"Bearer {token}", "Content-Encoding": "gzip"}
        slowest: list[float] = []

        def send(mine: list[tuple[int, bytes]]) -> None:
            context = ssl.create_default_context(cafile=str(ledger.certificate))
            connection = http.client.HTTPSConnection("127.0.0.1", ledger.port, timeout=60, context=context)
            for _, body in mine:
                began = time.perf_counter()
                connection.request("POST", "/logs", body, headers)
                answer = connection.getresponse()
                said = answer.read()
                assert answer.status == 200, said
                slowest.append(time.perf_counter() - began)

        writers = [threading.Thread(target=send, args=(work[number::WRITERS],)) for number in range(WRITERS)]
        began = time.perf_counter()
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        seconds = time.perf_counter() - began
        peak = ledger.rss_mb()
        with ledger.book() as book:
            count = book.head().count - 1
    assert count == sum(number for number, _ in work)
    return {
        "rate": count / seconds, "decisions": count, "batch": work[0][0], "packed": len(work[0][1]),
        "slowest_ms": 1000 * max(slowest), "idle_mb": idle, "peak_mb": peak,
    }  # fmt: skip


def verified(records: int, body: bytes, folder: Path) -> dict[str, float]:
    """Measure the verification of a chain of records with that body."""
    folder.mkdir()
    path = folder / "ledger.db"
    database.make(path)
    opened = Database(path)
    now = "2026-11-24T12:00:00.000000Z"

    def make() -> Any:
        for _ in range(records):
            yield Entry(
                kind="decision", type="session.channel", host=HOST, id=str(uuid.uuid4()), writer=f"opa@{HOST}",
                time=now, user="alice", key="SHA256:" + "x" * 43, rules=" interactive_session ", ref=str(uuid.uuid4()),
                body=body,
            )  # fmt: skip

    store.append(opened, make(), now)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from hostseal.clock import SystemClock
    from hostseal.core import checkpoint

    key = Ed25519PrivateKey.generate()
    checkpoints.Signer(opened, key, SystemClock()).sign()
    opened.close()
    began = time.perf_counter()
    report = verify(path, {checkpoint.key_id(key.public_key()): key.public_key()}, [])
    whole = time.perf_counter() - began
    assert report.whole
    began, cpu = time.perf_counter(), time.process_time()
    assert links.check(path, report.ledger, 0, None) == []
    one, one_cpu = time.perf_counter() - began, time.process_time() - cpu
    began = time.perf_counter()
    assert links.index_damage(path) == []
    indexes = time.perf_counter() - began
    return {
        "all": records / whole, "one": records / one, "cpu": records / one_cpu, "indexes": indexes,
        "mb": path.stat().st_size / 1e6,
    }  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--decisions", type=int, default=50_000)
    parser.add_argument("--records", type=int, default=400_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        (folder / "served").mkdir()
        found = take_in(asked.decisions, folder / "served")
        print(
            f"taken in   {found['rate']:,.0f} decisions/s ({found['decisions']:,.0f} in batches of {found['batch']:.0f},"
            f" {found['packed']:,.0f} bytes packed); slowest post {found['slowest_ms']:.0f} ms;"
            f" memory {found['idle_mb']:.0f} MB at the start, {found['peak_mb']:.0f} MB at most"
        )
        body = json.dumps(decision()).encode()
        for label, content in ((f"{len(body)} bytes", body), ("2 bytes", b"{}")):
            told = verified(asked.records, content, folder / f"chain-{len(content)}")
            print(
                f"verified   {told['all']:,.0f} records/s, all of `ledger verify` by {os.cpu_count()} processes; the chain"
                f" alone in one process {told['one']:,.0f}/s, {told['cpu']:,.0f} per CPU second; the indexes"
                f" {told['indexes']:.1f} s more; {asked.records:,} records of {label}, {told['mb']:,.0f} MB"
            )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"           this process's memory at most {peak:.0f} MB")


if __name__ == "__main__":
    main()
