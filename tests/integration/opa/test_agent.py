"""A whole agent beside a real OPA: its heartbeat is decided on, and so is what became of the decision log."""

import threading
from pathlib import Path
from typing import Any

from e2e.record import wait_until
from hostseal.clock import SystemClock
from hostseal.config.files import Backend, FilesSettings
from hostseal.config.settings import AgentSettings, Settings
from hostseal.daemon import Daemon
from hostseal.policy.engine import OpaEngine
from hostseal.policy.status import OpaLook
from hostseal.spool.reading import SpoolReader
from hostseal.trial.local_flag import LocalFlag
from integration.opa.peer import HostOpa, Peer


def records(state: Path, kind: str) -> list[dict[str, Any]]:
    return [record for record in SpoolReader(state / "spool.db").events() if record["event"]["type"] == kind]


def test_an_agent_says_how_it_is_and_what_became_of_its_decision_log(
    tmp_path: Path, peer: Peer, policy: tuple[Path, Path]
) -> None:
    state, watched = tmp_path / "state", tmp_path / "watched"
    state.mkdir()
    watched.mkdir()
    with HostOpa(tmp_path / "opa", peer, *policy) as opa:
        opa.wait_for(200)
        settings = Settings(
            agent=AgentSettings(name="web-1", state=str(state), heartbeat_seconds=1.0),
            opa=opa.settings,
            files=FilesSettings(backend=Backend.INOTIFY, watch=(str(watched),)),
        )
        engine = OpaEngine(
            opa.settings.url,
            ca=Path(opa.settings.ca),
            token_file=Path(opa.settings.token_file),
            timeout_seconds=5,
        )
        daemon = Daemon(
            settings, engine, LocalFlag(state), SystemClock(), lambda step, **_: None, lambda name, **_: None,
            gate=None, ask=engine.ask, journal=False, opa=OpaLook(opa.settings),
        )  # fmt: skip
        thread = threading.Thread(target=daemon.run, args=(lambda: None,))
        thread.start()
        try:

            def decided(kind: str) -> list[dict[str, Any]]:
                return [record for record in records(state, kind) if record["decision"] is not None]

            first = wait_until(lambda: decided("agent.heartbeat"), what="the first heartbeat is decided on")[
                0
            ]
            assert first["event"]["data"]["policy"]["revision"] == daemon.status()["policy"]["revision"]
            assert first["event"]["data"]["lost"] == {}
            assert "decision log" in daemon.status()["parts"]
            peer.log_status = 500
            [loss] = wait_until(lambda: decided("sensor.lost"), what="the refusal is decided on")
            assert [finding["rule"] for finding in loss["decision"]["findings"]] == ["sensor_lost"]
            assert "500" in (daemon.trouble() or "")
            later = wait_until(
                lambda: [beat for beat in decided("agent.heartbeat") if beat["event"]["data"]["lost"]],
                what="a heartbeat counts it",
            )
            assert later[0]["event"]["data"]["lost"] == {"decision log": 1}
        finally:
            daemon.stop.set()
            daemon.sessions.changed.set()
            thread.join(30)
        assert not thread.is_alive()
