"""The PAM hook in a folder of the test's own, and a gate on its socket."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from hostseal.sensors.pam_gate import GateServer
from hostseal.sensors.pam_message import Login, Verdict
from unit.sensors.pam_hook import (
    PAM,
    Gate,
    load_hook,
)


@pytest.fixture
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The hook, with its paths in a folder of the test's own and a login in its environment."""
    module = load_hook()
    monkeypatch.setattr(module, "SOCKET", str(tmp_path / "gate.sock"))
    monkeypatch.setattr(module, "FALLBACK", str(tmp_path / "fallback"))
    monkeypatch.setattr(module, "OFFERED", str(tmp_path))
    monkeypatch.setattr(module, "GATE", str(tmp_path / "gate"))
    monkeypatch.setattr(module, "LIMIT_SECONDS", 1.0)
    for name, value in PAM.items():
        monkeypatch.setenv(os.fsdecode(name), os.fsdecode(value))
    return module


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    """Start a gate on the hook's socket."""
    stop, servers = threading.Event(), []

    def start(login: Callable[[Login], Verdict], *, owner: int | None = None) -> None:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "gate.sock"))
        listener.listen(8)
        server = GateServer(
            listener,
            login,
            lambda asked: {"ok": True, **asked},
            owner=os.geteuid() if owner is None else owner,
        )
        thread = threading.Thread(target=server.run, args=(stop,))
        thread.start()
        servers.append((listener, server, thread))

    yield start
    stop.set()
    for listener, server, thread in servers:
        server.close()
        thread.join(5)
        listener.close()
