"""The PAM hook's own program against the agent's socket: what it hands over arrives, and it never hangs or fails."""

import importlib.machinery
import importlib.util
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostseal import fallback
from hostseal.errors import SpoolFullError
from hostseal.sensors.pam_gate import MESSAGE_LIMIT, GateServer
from hostseal.sensors.pam_message import Login, parse

HOOK = Path(__file__).parents[3] / "agent/dist/pam/pam-hook"
PAM = {
    b"PAM_TYPE": b"open_session",
    b"PAM_USER": b"al\nice {{ 7*6 }}\xff",
    b"PAM_RHOST": b"192.0.2.1",
    b"SSH_AUTH_INFO_0": b"publickey ssh-ed25519 AAAA\n",
}
Gate = Callable[..., GateServer]


@pytest.fixture
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The hook, with its paths in a folder of the test's own and a login in its environment."""
    loader = importlib.machinery.SourceFileLoader("pam_hook", str(HOOK))
    spec = importlib.util.spec_from_loader("pam_hook", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    monkeypatch.setattr(module, "SOCKET", str(tmp_path / "gate.sock"))
    monkeypatch.setattr(module, "FALLBACK", str(tmp_path / "fallback"))
    monkeypatch.setattr(module, "LIMIT_SECONDS", 1.0)
    for name, value in PAM.items():
        monkeypatch.setenv(os.fsdecode(name), os.fsdecode(value))
    return module


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    """Start a gate on the hook's socket."""
    stop, servers = threading.Event(), []

    def start(login: Callable[[Login], None], *, owner: int | None = None) -> None:
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


def left(tmp_path: Path) -> list[Login]:
    return [parse(file.read_bytes()) for file in sorted((tmp_path / "fallback").glob("login-*"))]


def refuse(_login: Login) -> None:
    raise SpoolFullError("no room\nat all")


def ask(path: Path, message: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(str(path))
        client.sendall(message)
        client.shutdown(socket.SHUT_WR)
        return client.makefile("rb").readline()


def test_a_login_arrives_as_pam_has_it(hook: ModuleType, gate: Gate, tmp_path: Path) -> None:
    taken: list[Login] = []
    gate(taken.append)
    hook.main()
    assert [(login.phase, dict(login.pam), login.pid) for login in taken] == [
        ("open_session", PAM, os.getppid())
    ]
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("agent", "why"),
    [
        pytest.param(None, b"No such file", id="nobody listens"),
        pytest.param(refuse, b"no room at all", id="it cannot be recorded"),
        pytest.param(lambda _login: threading.Event().wait(1.5), b"timed out", id="no answer in time"),
    ],
)
def test_what_the_agent_does_not_take_is_left_for_later_and_taken_in_as_loss(
    hook: ModuleType, gate: Gate, tmp_path: Path, agent: Callable[[Login], None] | None, why: bytes
) -> None:
    if agent is not None:
        gate(agent)
    hook.main()
    (record,) = left(tmp_path)
    assert (record.pam, why in record.why) == (PAM, True)
    emitted: list[dict[str, Any]] = []
    assert (
        fallback.take_in(tmp_path / "fallback", lambda _kind, data, **_: emitted.append(dict(data)) or "")
        == 1
    )
    assert emitted[0]["scope"] == "login of al\nice {{ 7*6 }}\\xff, open_session"
    assert "SSH_AUTH_INFO_0" not in emitted[0]["detail"]
    assert left(tmp_path) == []


def test_a_record_cut_short_is_told_too(tmp_path: Path) -> None:
    (tmp_path / "login-1-1").write_bytes(b"PAM_TYPE=account\0PAM_US")
    emitted: list[str] = []
    fallback.take_in(tmp_path, lambda _kind, data, **_: emitted.append(data["cause"]) or "")
    assert emitted == ["an unreadable fallback record"]


def test_records_have_a_bound(hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook, "FALLBACK_KEPT", 2)
    for _ in range(3):
        hook.main()
    assert len(left(tmp_path)) == 2


def test_only_the_owner_is_answered(hook: ModuleType, gate: Gate, tmp_path: Path) -> None:
    taken: list[Login] = []
    gate(taken.append, owner=os.geteuid() + 1)
    hook.main()
    assert taken == []
    assert b"only root" in left(tmp_path)[0].why


def test_the_command_line_asks_over_the_same_socket(gate: Gate, tmp_path: Path) -> None:
    gate(refuse)
    asked = ask(tmp_path / "gate.sock", b'{"op": "status"}\n')
    assert json.loads(asked) == {"ok": True, "op": "status"}


@pytest.mark.parametrize(
    "message", [b"", b"{", b"nothing\0\0", b"PAM_TYPE=account\0\0", b"x=" + b"y" * MESSAGE_LIMIT]
)
def test_what_is_not_understood_is_refused(gate: Gate, tmp_path: Path, message: bytes) -> None:
    gate(lambda _login: pytest.fail("taken"))
    assert b"error" in ask(tmp_path / "gate.sock", message)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_login_or_a_value_error(block: bytes) -> None:
    try:
        parse(block + b"\0\0")
    except ValueError:
        return
