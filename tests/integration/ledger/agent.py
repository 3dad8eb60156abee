"""A real agent in this process, which reports to a ledger."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hostseal.clock import SystemClock
from hostseal.config.files import Backend, FilesSettings
from hostseal.config.settings import AgentSettings, LedgerSettings, Settings
from hostseal.daemon import Daemon
from hostseal.policy.engine import OpaEngine
from hostseal.trial.local_flag import LocalFlag
from integration.ledger.server import LedgerServer

HOST = "web-1-g1"
CHANGED = {
    "writer": {
        "kind": "executable",
        "session": None,
        "exe": "/bin/sed",
        "pid": 1,
        "uid": 0,
        "action": None,
        "unit": None,
        "role": None,
        "via": None,
    },
    "paths": [
        {
            "path": "/etc/hosts",
            "raw": None,
            "what": ["modified"],
            "sha256": None,
            "expected": False,
            "seal": "broken",
            "class": None,
            "differs": ["content"],
            "lays": None,
        }
    ],
    "count": 1,
    "truncated": False,
    "confidence": "exact",
    "first": "2026-11-23T12:00:00.000000Z",
    "last": "2026-11-23T12:00:00.000000Z",
}
LOGIN = {
    "user": "alice", "service": "sshd", "source": "192.0.2.9", "audit_session": 7, "login_uid": 1000, "pid": 1,
    "key": {"type": "ssh-ed25519", "fingerprint": "SHA256:x"}, "certificate": None, "method": "publickey",
}  # fmt: skip


class Agent:
    """One agent in this process, with its state in a folder."""

    def __init__(self, folder: Path, opa: str, ledger: LedgerServer, token: str) -> None:
        self.state = folder / "state"
        self.state.mkdir(exist_ok=True)
        (folder / "watched").mkdir(exist_ok=True)
        (folder / "token").write_text(token)
        self.settings = Settings(
            agent=AgentSettings(name=HOST, state=str(self.state)),
            files=FilesSettings(backend=Backend.INOTIFY, watch=(str(folder / "watched"),)),
            ledger=LedgerSettings(
                url=ledger.url,
                ca=str(ledger.certificate),
                token_file=str(folder / "token"),
                heartbeat_seconds=0.5,
            ),
        )
        self._opa = opa

    @contextmanager
    def running(self) -> Iterator[Daemon]:
        """Run it until the block ends."""
        engine = OpaEngine(self._opa, ca=None, token_file=None, timeout_seconds=5.0)
        daemon = Daemon(
            self.settings, engine, LocalFlag(self.state), SystemClock(), lambda step, **fields: None, lambda name, **fields: None,
            gate=None, ask=engine.ask, journal=False,
        )  # fmt: skip
        thread = threading.Thread(target=daemon.run, args=(lambda: None,))
        thread.start()
        try:
            yield daemon
        finally:
            daemon.stop.set()
            daemon.sessions.changed.set()
            thread.join(30)
            assert not thread.is_alive()
