"""The PAM hook's own program against the agent's socket: what it hands over arrives, and it never hangs or fails."""

import json
import os
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostseal import fallback
from hostseal.sensors.pam_gate import MESSAGE_LIMIT, GateServer
from hostseal.sensors.pam_message import Login, Verdict, parse
from unit.sensors.pam_hook import (
    PAM,
    SSHD,
    Gate,
    admit,
    ask,
    fail,
    left,
    linger,
)


def test_a_login_arrives_as_pam_has_it(hook: ModuleType, gate: Gate, tmp_path: Path) -> None:
    taken: list[Login] = []
    gate(admit(taken))
    assert hook.main(SSHD) == 0
    assert [(login.phase, dict(login.pam), login.pid) for login in taken] == [("open_session", PAM, SSHD)]
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("agent", "why"),
    [
        pytest.param(None, b"No such file", id="nobody listens"),
        pytest.param(fail, b"no room at all", id="it cannot be recorded"),
        pytest.param(linger, b"timed out", id="no answer in time"),
    ],
)
def test_what_the_agent_does_not_take_is_left_for_later_and_taken_in_as_loss(
    hook: ModuleType, gate: Gate, tmp_path: Path, agent: Callable[[Login], Verdict] | None, why: bytes
) -> None:
    if agent is not None:
        gate(agent)
    hook.main(SSHD)
    (record,) = left(tmp_path)
    assert (record.pam, why in record.why) == (PAM, True)
    emitted: list[dict[str, Any]] = []
    late: list[Mapping[str, Any]] = []
    assert (
        fallback.take_in(
            tmp_path / "fallback", lambda _kind, data, **_: emitted.append(dict(data)) or "", late.append
        )
        == 1
    )
    assert emitted[0]["scope"] == "login of al\nice {{ 7*6 }}\\xff, open_session"
    assert "SSH_AUTH_INFO_0" not in emitted[0]["detail"]
    assert [(session["user"], session["seen_by"]) for session in late] == [("al\nice {{ 7*6 }}\\xff", "pam")]
    assert left(tmp_path) == []


def test_a_login_whose_hook_has_gone_gets_no_verdict(hook: ModuleType, tmp_path: Path) -> None:
    """The agent was held up: in its queue lie a login that was decided without it, and one that still waits."""
    taken: list[Login] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "gate.sock"))
        listener.listen(8)
        assert hook.main(SSHD) == 0
        (record,) = left(tmp_path)
        assert b"no answer in time" in record.why or b"timed out" in record.why
        server, stop = GateServer(listener, admit(taken), dict, owner=os.geteuid()), threading.Event()
        thread = threading.Thread(target=server.run, args=(stop,))
        thread.start()
        assert hook.main(SSHD + 1) == 0
        stop.set()
        server.close()
        thread.join(5)
    assert [login.pid for login in taken] == [SSHD + 1]


def test_a_record_cut_short_is_told_too(tmp_path: Path) -> None:
    (tmp_path / "login-1-1").write_bytes(b"PAM_TYPE=account\0PAM_US")
    emitted: list[str] = []
    fallback.take_in(tmp_path, lambda _kind, data, **_: emitted.append(data["cause"]) or "", emitted.append)
    assert emitted == ["an unreadable fallback record"]


def test_records_have_a_bound(hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook, "FALLBACK_KEPT", 2)
    for _ in range(3):
        hook.main(SSHD)
    assert len(left(tmp_path)) == 2


def test_only_the_owner_is_answered(hook: ModuleType, gate: Gate, tmp_path: Path) -> None:
    taken: list[Login] = []
    gate(admit(taken), owner=os.geteuid() + 1)
    hook.main(SSHD)
    assert taken == []
    assert b"only root" in left(tmp_path)[0].why


def test_the_command_line_asks_over_the_same_socket(gate: Gate, tmp_path: Path) -> None:
    gate(fail)
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
