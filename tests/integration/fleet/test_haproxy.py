"""A real HAProxy before real web servers: a host is exchanged under load and no request fails."""

import http.client
import http.server
import itertools
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from hostseal.core.lifecycle import Instance
from hostseal.errors import BalancerError
from hostseal.fleet.haproxy import HaProxy

CONFIG = """
global
    stats socket {folder}/haproxy.sock mode 600 level admin
defaults
    mode http
    timeout connect 2s
    timeout client 10s
    timeout server 10s
    retries 2
    option redispatch
frontend front
    bind 127.0.0.1:{port}
    default_backend web
backend web
    option httpchk GET /
    default-server check inter 100ms rise 1 fall 2 init-addr none
    server web-1-a 0.0.0.0:0 disabled
    server web-1-b 0.0.0.0:0 disabled
"""
SECONDS = 20.0


class Answer(http.server.BaseHTTPRequestHandler):
    """Says which host it is; /slow takes a moment."""

    def do_GET(self) -> None:
        if self.path == "/slow":
            time.sleep(0.5)  # what the request itself takes
        body = self.server.server_address[0].encode()  # type: ignore[union-attr]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def service_port() -> Iterator[int]:
    """Two web servers, on 127.0.0.2 and 127.0.0.3."""
    port = free_port()
    servers = [http.server.ThreadingHTTPServer((f"127.0.0.{n}", port), Answer) for n in (2, 3)]
    threads = [threading.Thread(target=server.serve_forever) for server in servers]
    for thread in threads:
        thread.start()
    yield port
    for server, thread in zip(servers, threads, strict=True):
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def front(tmp_path: Path) -> Iterator[int]:
    """A running HAProxy; its port."""
    port = free_port()
    (tmp_path / "haproxy.cfg").write_text(CONFIG.format(folder=tmp_path, port=port))
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen(["haproxy", "-db", "-f", tmp_path / "haproxy.cfg"], stdout=log, stderr=log)
    deadline = time.monotonic() + SECONDS
    while not (tmp_path / "haproxy.sock").exists():
        assert running.poll() is None, (tmp_path / "log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.02)  # the pace of looking
    yield port
    running.terminate()
    running.wait(10)


def instance(generation: int, address: str) -> Instance:
    return Instance(
        slot="web-1", generation=generation, id=f"i-{generation}", image="sha256:0", address=address
    )


def get(port: int, path: str = "/") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


class Load:
    """Requests one after another until it is left, slow ones among them; all answers in `seen`."""

    def __init__(self, port: int) -> None:
        self._port, self._stop = port, threading.Event()
        self.seen: list[tuple[int, str]] = []
        self._threads = [threading.Thread(target=self._run, args=(path,)) for path in ("/", "/", "/slow")]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, path: str) -> None:
        while not self._stop.is_set():
            self.seen.append(get(self._port, path))

    def until(self, host: str) -> None:
        deadline = time.monotonic() + SECONDS
        while not any(said == host for _, said in list(self.seen)[-5:]):
            assert time.monotonic() < deadline, self.seen[-5:]
            time.sleep(0.02)  # the pace of looking


def test_a_host_is_exchanged_under_load_without_a_failed_request(
    front: int, service_port: int, tmp_path: Path
) -> None:
    balancer = HaProxy(tmp_path / "haproxy.sock", "web", service_port, seconds=SECONDS)
    old, new = instance(1, "127.0.0.2"), instance(2, "127.0.0.3")
    balancer.serve(old)
    with Load(front) as load:
        load.until("127.0.0.2")
        for _ in range(2):  # a second time, as after a crash: nothing changes
            balancer.serve(new)
        load.until("127.0.0.3")
        for _ in range(2):
            balancer.drain(old)
        drained = len(load.seen)
        for _ in range(2):
            balancer.forget(old)
        load.until("127.0.0.3")
    assert {status for status, _ in load.seen} == {200}
    assert {said for _, said in load.seen[drained + 3 :]} <= {"127.0.0.3"}
    assert [(line.address, line.in_maintenance) for line in balancer.lines("web-1")] == [
        ("127.0.0.2", True),
        ("127.0.0.3", False),
    ]


def test_the_line_of_the_retired_host_is_taken_by_the_next(
    front: int, service_port: int, tmp_path: Path
) -> None:
    balancer = HaProxy(tmp_path / "haproxy.sock", "web", service_port, seconds=SECONDS)
    hosts = [instance(1, "127.0.0.2"), instance(2, "127.0.0.3"), instance(4, "127.0.0.2")]
    balancer.serve(hosts[0])
    for old, new in itertools.pairwise(hosts):
        balancer.serve(new)
        balancer.drain(old)
        balancer.forget(old)
    assert get(front) == (200, "127.0.0.2")


@pytest.mark.parametrize(
    ("slot", "address", "why"),
    [
        ("web-9", "127.0.0.2", "no lines web-9-a"),
        ("web-1", "127.0.0.9", "is not up"),
        ("web-1", "x y", "refused"),
    ],
)
def test_what_haproxy_cannot_do_is_said(
    front: int, service_port: int, tmp_path: Path, slot: str, address: str, why: str
) -> None:
    balancer = HaProxy(tmp_path / "haproxy.sock", "web", service_port, seconds=0.5)
    host = Instance(slot=slot, generation=1, id="i", image="sha256:0", address=address)
    with pytest.raises(BalancerError, match=why):
        balancer.serve(host)


def test_without_haproxy_the_socket_is_named(tmp_path: Path) -> None:
    with pytest.raises(BalancerError, match="cannot be asked"):
        HaProxy(tmp_path / "none.sock", "web", 80, seconds=1).serve(instance(1, "127.0.0.2"))
