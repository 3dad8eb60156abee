"""How fast the policy decides: a real OPA with TLS, token and decision log, asked as the agent and a controller ask it.

    PYTHONPATH=agent:molecule:tests python -m bench.policy [--seconds N]

10,000 hosts, 1,000 exemptions; each sample event in turn. *Paced*: 200 questions a second come in at times fixed beforehand, and
each one's time counts from then, so that a slow answer delays nobody's clock. *At once*: as many as get through, by the agent's
pool (its connections) and by opa-python-client's asynchronous client. The growing number of exemptions and each rule are measured by
`opa bench`, without server and client.
"""

import argparse
import asyncio
import json
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import aiohttp
from opa_client.opa_async import AsyncOpaClient

from bench import policy_site, results
from bench.files_group import own_cpu
from hostseal.policy import bundle, signing
from hostseal.policy.engine import EVENT_DECISION, OpaEngine
from hostseal.policy.packaged import policies
from hostseal.policy.pool import CONNECTIONS, EnginePool
from hostseal.trial import opa_child
from policy.opa_server import TOKEN, OpaServer

EXEMPTIONS, GROWTH = 1_000, (10, 100, 1_000)
RATE, WARM_UP_SECONDS, ROUNDS, IN_FLIGHT = 200, 3.0, 3, 32
AIMS = {"paced p99, ms": 5, "decisions a second at once": 1500}


@contextmanager
def serving(folder: Path) -> Iterator[tuple[OpaServer, Path]]:
    """Run an OPA as a host does, with the large site; yield it and the token's file."""
    signing.generate_key_pair(folder / "key", folder / "pub")
    built, token = folder / "bundle.tar.gz", folder / "token"
    bundle.build(opa_child.find(), policies(), policy_site.site(EXEMPTIONS), built, folder / "key")
    token.write_text(TOKEN)
    with OpaServer(opa_child.find().absolute(), folder, built, folder / "pub") as server:
        server.wait_for(200)
        yield server, token


def pool(server: OpaServer, token: Path) -> EnginePool:
    """Return the agent's pool of connections to it."""
    url, ca = f"https://127.0.0.1:{server.port}", server.folder / "server.pem"
    return EnginePool(lambda: OpaEngine(url, ca=ca, token_file=token, timeout_seconds=10.0))


def paced(ask: EnginePool, questions: Sequence[dict[str, Any]], seconds: float) -> list[float]:
    """Ask at the fixed rate; return the milliseconds from when each question was due to its answer."""
    numbers, lock, taken = iter(range(int(RATE * seconds))), threading.Lock(), list[float]()
    begin = time.perf_counter() + 0.1

    def work() -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            due = begin + number / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            ask.ask(EVENT_DECISION, questions[number % len(questions)])
            taken.append(1000 * (time.perf_counter() - due))

    _run([threading.Thread(target=work) for _ in range(CONNECTIONS)])
    return taken


def at_once(ask: EnginePool, questions: Sequence[dict[str, Any]], seconds: float) -> float:
    """Ask over all connections without a pause; return the decisions a second."""
    counts, end = [0] * CONNECTIONS, time.perf_counter() + seconds

    def work(mine: int) -> None:
        for question in islice(cycle(questions), mine, None):
            if time.perf_counter() >= end:
                return
            ask.ask(EVENT_DECISION, question)
            counts[mine] += 1

    _run([threading.Thread(target=work, args=(number,)) for number in range(CONNECTIONS)])
    return sum(counts) / seconds


async def at_once_async(server: OpaServer, questions: Sequence[dict[str, Any]], seconds: float) -> float:
    """Ask by the library's asynchronous client, many in flight, without a pause; return the decisions a second."""
    context = ssl.create_default_context(cafile=str(server.folder / "server.pem"))
    end, count = time.perf_counter() + seconds, 0
    async with AsyncOpaClient(
        host="127.0.0.1", port=server.port, ssl=True, token=TOKEN, retries=0, timeout=10.0
    ) as client:
        # The library has no setting for the authority.
        await client._session.close()
        connector = aiohttp.TCPConnector(ssl=context, limit=IN_FLIGHT)
        client._session = aiohttp.ClientSession(headers=client.headers, connector=connector)

        async def work(mine: int) -> None:
            nonlocal count
            for question in islice(cycle(questions), mine, None):
                if time.perf_counter() >= end:
                    return
                answer = await client.query_rule(question, EVENT_DECISION)
                assert "allowed" in answer["result"], answer
                count += 1

        await asyncio.gather(*(work(number) for number in range(IN_FLIGHT)))
    return count / seconds


def _run(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def microseconds(built: Path, question: Path, query: str) -> float:
    """Return what one evaluation takes, by `opa bench`."""
    command = [
        opa_child.find(),
        "bench",
        "--bundle",
        built,
        "--input",
        question,
        "--format=json",
        "--metrics=false",
    ]
    done = subprocess.run([*command, query], capture_output=True, text=True, check=True, timeout=120)
    found = json.loads(done.stdout)
    taken: float = found["T"] / found["N"] / 1000
    return taken


def growth(folder: Path, question: Path) -> dict[int, float]:
    """Return the microseconds of a decision at each number of exemptions: the best of rounds that take turns."""
    built = {number: folder / f"exemptions-{number}.tar.gz" for number in GROWTH}
    for number, path in built.items():
        bundle.build(opa_child.find(), policies(), policy_site.site(number), path, None)
    taken: dict[int, list[float]] = {number: [] for number in GROWTH}
    for _ in range(ROUNDS):
        for number, path in built.items():
            taken[number].append(microseconds(path, question, "data.hostseal.event.decision"))
    return {number: min(all_of) for number, all_of in taken.items()}


def by_rule(folder: Path, questions: Sequence[dict[str, Any]]) -> list[results.Row]:
    """Return for each rule what it takes about an event that it finds something in; about the first, if it does in none."""
    built, asked = folder / f"exemptions-{EXEMPTIONS}.tar.gz", folder / "asked.json"
    asked.write_text(json.dumps(questions))
    query = (
        "[[rule, number] | some number, question in input"
        "; some rule, found in data.hostseal.rules with input as question; count(found.findings) > 0]"
    )
    command = [opa_child.find(), "eval", "--bundle", built, "--input", asked, "--format=raw", query]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    finds: dict[str, int] = {}
    for rule, number in json.loads(done.stdout):
        finds.setdefault(rule, number)
    rows = []
    for rule in policy_site.rules():
        asked.write_text(json.dumps(questions[finds.get(rule, 0)]))
        taken = microseconds(built, asked, f"data.hostseal.rules.{rule}")
        rows.append({"rule": rule, "event": questions[finds[rule]]["event"]["type"] if rule in finds else None, "microseconds": taken})  # fmt: skip
    return rows


def main() -> int:
    """Measure all of it, and leave docs/bench/policy.json."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement over the network")
    seconds: float = parser.parse_args().seconds
    questions = policy_site.questions()
    with tempfile.TemporaryDirectory(prefix="hostseal-bench-") as name:
        folder = Path(name)
        with serving(folder) as (server, token):
            ask = pool(server, token)
            at_once(ask, questions, WARM_UP_SECONDS)
            taken = sorted(paced(ask, questions, seconds))
            opa, client = own_cpu(server.pid), time.process_time()
            rate = at_once(ask, questions, seconds)
            opa, client = own_cpu(server.pid) - opa, time.process_time() - client
            asynchronous = asyncio.run(at_once_async(server, questions, seconds))
        question = folder / "question.json"
        question.write_text(json.dumps(questions[0]))
        grown = growth(folder, question)
        rows = by_rule(folder, questions)
    served: dict[str, Any] = {
        "rate": RATE, "paced_p50_ms": taken[len(taken) // 2], "paced_p99_ms": taken[int(len(taken) * 0.99)],
        "at_once": rate, "connections": CONNECTIONS, "asynchronous": asynchronous, "in_flight": IN_FLIGHT,
        "opa_cpu_ms": 1000 * opa / (rate * seconds), "client_cpu_ms": 1000 * client / (rate * seconds),
        "hosts": policy_site.HOSTS, "exemptions": EXEMPTIONS,
    }  # fmt: skip
    ratios = {
        f"{number} exemptions against {GROWTH[0]}": grown[number] / grown[GROWTH[0]] for number in GROWTH[1:]
    }
    decided = {str(number): took for number, took in grown.items()}
    path = results.save("policy", rows, ratios, served=served, decision_microseconds=decided, aims=AIMS)
    print(
        f"{path}: p99 {served['paced_p99_ms']:.1f} ms at {RATE}/s, {rate:.0f}/s at once, {asynchronous:.0f}/s asynchronously"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
