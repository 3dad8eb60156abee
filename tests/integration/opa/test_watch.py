"""The agent sees what goes wrong with a real OPA: each trouble is one event when it begins and one when it is over."""

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from e2e.record import wait_until
from hostseal.clock import SystemClock
from hostseal.config.settings import OpaSettings
from hostseal.core.engine_watch import SENSOR
from hostseal.core.event import Host
from hostseal.policy.engine import OpaEngine
from hostseal.policy.status import SECONDS, OpaLook
from hostseal.recorder import Recorder
from hostseal.sensors.decision_log import DecisionLogWatch
from hostseal.spool.reading import SpoolReader
from hostseal.spool.sqlite import SqliteSpool
from integration.opa.peer import HostOpa, Peer

ROOT = Path(__file__).parents[3]
HOST = Host(name="web-1", machine_id="a" * 32, boot_id="b" * 32)
EVENT = json.loads((ROOT / "tests/samples/events/channel_shell.json").read_bytes())
QUESTION = {"input": {"event": EVENT, "standing": {"state": "sealed", "incident": None}}}
Policy = tuple[Path, Path]


class Watching:
    """The watch, with a real spool."""

    def __init__(self, folder: Path, opa: HostOpa) -> None:
        self.path = folder / "spool.db"
        self.spool = SqliteSpool(self.path)
        self.said: list[tuple[str, dict[str, Any]]] = []
        clock = SystemClock()
        recorder = Recorder(self.spool, HOST, clock, lambda step, **fields: None, pending_limit=1000)
        self.watch = DecisionLogWatch(OpaLook(opa.settings), recorder, self.spool, clock, self._log, 0.2)

    def _log(self, name: str, *, level: str = "info", **fields: object) -> None:
        self.said.append((name, {"level": level, **fields}))

    @contextmanager
    def running(self) -> Iterator["Watching"]:
        stop = threading.Event()
        thread = threading.Thread(target=self.watch.run, args=(stop,))
        thread.start()
        try:
            yield self
        finally:
            stop.set()
            self.watch.wake()
            thread.join(2 * SECONDS + 5)
            assert not thread.is_alive()

    def told(self, cause: str) -> list[dict[str, Any]]:
        """Return the data of the losses on record of this cause."""
        events = (record["event"] for record in SpoolReader(self.path).events())
        losses = (event["data"] for event in events if event["type"] == "sensor.lost")
        return [data for data in losses if data["cause"] == cause and data["sensor"] == SENSOR]


@contextmanager
def running(
    folder: Path, peer: Peer, policy: Policy, reporting: str = ""
) -> Iterator[tuple[HostOpa, Watching]]:
    """Run an OPA that has its bundle, and the agent's watch of it."""
    with HostOpa(folder / "opa", peer, *policy, reporting) as opa:
        opa.wait_for(200)
        with Watching(folder, opa).running() as agent:
            yield opa, agent


def test_a_ledger_that_refuses_is_told_once_and_so_is_its_end(
    tmp_path: Path, peer: Peer, policy: Policy
) -> None:
    with running(tmp_path, peer, policy) as (opa, agent):
        wait_until(lambda: agent.watch.revision, what="the revision is known")
        peer.log_status = 500
        decided = [
            opa.agent("/v1/data/hostseal/event/decision", QUESTION)[1]["decision_id"] for _ in range(5)
        ]
        [begun] = wait_until(lambda: agent.told("upload_failed"), what="the refusal is told")
        assert (begun["until"], begun["rescanned"], "500" in begun["detail"]["error"]) == (None, False, True)
        assert begun["since"] is not None
        assert "500" in (agent.watch.trouble or "")
        assert opa.health() == 200, "OPA itself does not say so"
        peer.log_status = 200
        both = wait_until(
            lambda: len(agent.told("upload_failed")) > 1 and agent.told("upload_failed"),
            what="the end is told",
        )
        assert [(one["since"], one["until"] is None) for one in both] == [
            (begun["since"], True),
            (begun["since"], False),
        ]
        wait_until(
            lambda: {one["decision_id"] for one in peer.taken} >= set(decided), what="nothing of it was lost"
        )
        wait_until(lambda: agent.watch.trouble is None, what="the status knows what the record does")
        assert agent.told("dropped") == []


def test_a_full_buffer_is_told_with_how_much_it_threw_away(
    tmp_path: Path, peer: Peer, policy: Policy
) -> None:
    peer.log_status = 500
    small = ", buffer_size_limit_bytes: 3000, upload_size_limit_bytes: 2000"
    with running(tmp_path, peer, policy, small) as (opa, agent):
        for _ in range(100):
            assert opa.agent("/v1/data/hostseal/event/decision", QUESTION)[0] == 200
        first = wait_until(lambda: agent.told("dropped"), what="the loss is told")[0]
        assert (first["until"], first["detail"]["count"] > 0) == (None, True)
        both = wait_until(
            lambda: len(agent.told("dropped")) > 1 and agent.told("dropped"), what="its end is told"
        )
        assert both[1]["until"] is not None
        assert both[1]["detail"]["count"] >= first["detail"]["count"]
        assert agent.watch.lost >= both[1]["detail"]["count"]


def test_a_decision_too_large_to_be_sent_is_a_loss(tmp_path: Path, peer: Peer, policy: Policy) -> None:
    tiny = ", upload_size_limit_bytes: 600"
    with running(tmp_path, peer, policy, tiny) as (opa, agent):
        wait_until(lambda: agent.watch.revision, what="a look at a whole OPA")
        assert opa.agent("/v1/data/hostseal/event/decision", QUESTION)[0] == 200
        assert wait_until(lambda: agent.told("dropped"), what="it is told")[0]["detail"]["count"] == 1


def test_a_tampered_bundle_is_told_and_the_old_one_stays_in_force(
    tmp_path: Path, peer: Peer, policy: Policy
) -> None:
    with running(tmp_path, peer, policy) as (opa, agent):
        revision = wait_until(lambda: agent.watch.revision, what="the revision is known")
        good, peer.bundle = peer.bundle, b"not a bundle"
        [begun] = wait_until(lambda: agent.told("bundle_failed"), what="the bad bundle is told")
        assert (begun["until"], begun["detail"]["error"].startswith("hostseal: ")) == (None, True)
        status = agent.watch.status()
        assert (status["revision"], status["bundle_error"]) == (revision, begun["detail"]["error"])
        assert opa.agent("/v1/data/hostseal/event/decision", QUESTION)[0] == 200
        peer.bundle = good
        wait_until(lambda: len(agent.told("bundle_failed")) == 2, what="its end is told")


def test_an_opa_that_never_got_a_bundle_is_told(tmp_path: Path, peer: Peer, policy: Policy) -> None:
    peer.bundle = b"not a bundle"
    with HostOpa(tmp_path / "opa", peer, *policy) as opa:
        opa.wait_for(500)
        with Watching(tmp_path, opa).running() as agent:
            [begun] = wait_until(lambda: agent.told("bundle_failed"), what="it is told")
            assert (begun["since"], "500" in begun["detail"]["error"]) == (None, True)
            assert agent.watch.revision is None


def test_an_opa_that_is_down_or_stands_still_is_told(tmp_path: Path, peer: Peer, policy: Policy) -> None:
    opa = HostOpa(tmp_path / "opa", peer, *policy)
    first = ExitStack()
    first.enter_context(opa)
    opa.wait_for(200)
    with Watching(tmp_path, opa).running() as agent:
        wait_until(lambda: agent.watch.revision, what="the revision is known")
        first.close()
        [begun] = wait_until(lambda: agent.told("opa_down"), what="it is down")
        assert (begun["until"], "ConnectionRefusedError" in begun["detail"]["error"]) == (None, True)
        with opa:
            wait_until(lambda: len(agent.told("opa_down")) == 2, what="it is back")
            os.kill(opa.pid, signal.SIGSTOP)
            try:
                wait_until(lambda: len(agent.told("opa_down")) == 3, seconds=60, what="it stands still")
            finally:
                os.kill(opa.pid, signal.SIGCONT)
            assert "timed out" in agent.told("opa_down")[2]["detail"]["error"]
            wait_until(lambda: len(agent.told("opa_down")) == 4, what="it goes on")


def test_what_waited_in_an_opa_that_was_started_again_is_a_loss(
    tmp_path: Path, peer: Peer, policy: Policy
) -> None:
    peer.log_status = 500
    opa = HostOpa(tmp_path / "opa", peer, *policy)
    with Watching(tmp_path, opa).running() as agent:
        with opa:
            opa.wait_for(200)
            opa.agent("/v1/data/hostseal/event/decision", QUESTION)
            wait_until(lambda: agent.told("upload_failed"), what="the refusal is told")
        with opa:
            opa.wait_for(200)
            lost = wait_until(lambda: agent.told("dropped"), what="the loss is told")[0]
    assert "started again" in lost["detail"]["error"]


def test_an_episode_is_told_once_though_the_agent_is_started_again(
    tmp_path: Path, peer: Peer, policy: Policy
) -> None:
    with HostOpa(tmp_path / "opa", peer, *policy) as opa:
        opa.wait_for(200)
        peer.log_status = 500
        opa.agent("/v1/data/hostseal/event/decision", QUESTION)
        with Watching(tmp_path, opa).running() as agent:
            wait_until(lambda: agent.told("upload_failed"), what="the refusal is told")
        with Watching(tmp_path, opa).running() as again:
            wait_until(lambda: again.watch.status()["upload_error"], what="it is seen again")
            time.sleep(1)  # several looks: what is tested is that none of them tells anything
            assert len(again.told("upload_failed")) == 1
            peer.log_status = 200
            wait_until(lambda: len(again.told("upload_failed")) == 2, what="its end is told")


def test_without_the_right_to_look_it_says_so_and_claims_no_loss(
    tmp_path: Path, peer: Peer, policy: Policy
) -> None:
    with HostOpa(tmp_path / "opa", peer, *policy) as opa:
        opa.wait_for(200)
        (opa.folder / "token").write_text("another")
        watching = Watching(tmp_path, opa)
        watching.watch.step()
        watching.watch.step()
        assert "401" in (watching.watch.trouble or "")
        assert [name for name, _ in watching.said] == ["decision_log.unwatched"]
        assert list(SpoolReader(watching.path).events()) == []


def test_a_token_that_cannot_be_read_does_not_mean_that_opa_is_down(
    tmp_path: Path, peer: Peer, policy: Policy
) -> None:
    with HostOpa(tmp_path / "opa", peer, *policy) as opa:
        opa.wait_for(200)
        (opa.folder / "token").unlink()
        seen = OpaLook(opa.settings)()
    assert (seen.down, seen.no_bundle, seen.status, "FileNotFoundError" in (seen.why or "")) == (
        None,
        None,
        None,
        True,
    )


def test_a_server_that_trickles_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def trickle() -> None:
            taken, _ = listener.accept()
            with taken, suppress(OSError):
                taken.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while True:
                    taken.sendall(b"x")
                    time.sleep(0.2)  # the pace at which it keeps the reader waiting

        server = threading.Thread(target=trickle)
        server.start()
        began = time.monotonic()
        seen = OpaLook(
            OpaSettings(url=f"http://127.0.0.1:{listener.getsockname()[1]}", ca="", token_file="")
        )()
        assert time.monotonic() - began < 2 * SECONDS + 5
        server.join(10)
    assert "within 5 s" in (seen.down or "")


def test_decisions_do_not_wait_for_a_look(tmp_path: Path, peer: Peer, policy: Policy) -> None:
    with HostOpa(tmp_path / "opa", peer, *policy) as opa:
        opa.wait_for(200)
        settings = opa.settings
        engine = OpaEngine(
            settings.url, ca=Path(settings.ca), token_file=Path(settings.token_file), timeout_seconds=5.0
        )
        look, stop, looks = OpaLook(settings), threading.Event(), []

        def keep_looking() -> None:
            while not stop.is_set():
                looks.append(look())

        lookers = [threading.Thread(target=keep_looking) for _ in range(2)]
        for looker in lookers:
            looker.start()
        try:
            for _ in range(20):
                began = time.monotonic()
                assert engine.ask("hostseal/event/decision", QUESTION["input"]).decision is not None
                assert time.monotonic() - began < SECONDS
        finally:
            stop.set()
            for looker in lookers:
                looker.join()
        assert all(seen.status is not None for seen in looks)
