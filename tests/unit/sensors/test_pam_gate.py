"""The PAM hook's own program against the agent's socket: what it hands over arrives, and it never hangs or fails."""

import base64
import importlib.machinery
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostseal import fallback
from hostseal.errors import SpoolFullError
from hostseal.sensors.pam_gate import MESSAGE_LIMIT, GateServer
from hostseal.sensors.pam_message import Login, Verdict, parse

HOOK = Path(__file__).parents[3] / "agent/dist/pam/pam-hook"
PAM = {
    b"PAM_TYPE": b"open_session",
    b"PAM_USER": b"al\nice {{ 7*6 }}\xff",
    b"PAM_RHOST": b"192.0.2.1",
    b"SSH_AUTH_INFO_0": b"publickey ssh-ed25519 AAAA\n",
}
SSHD = 4242
CERTIFICATE = "publickey ssh-ed25519-cert-v01@openssh.com AAAA"
Gate = Callable[..., GateServer]


def load_hook() -> ModuleType:
    """Return the hook's program as a module."""
    loader = importlib.machinery.SourceFileLoader("pam_hook", str(HOOK))
    spec = importlib.util.spec_from_loader("pam_hook", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


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


def left(tmp_path: Path) -> list[Login]:
    return [parse(file.read_bytes()) for file in sorted((tmp_path / "fallback").glob("login-*"))]


def fail(_login: Login) -> Verdict:
    raise SpoolFullError("no room\nat all")


def linger(_login: Login) -> Verdict:
    threading.Event().wait(1.5)
    return Verdict()


def admit(taken: list[Login]) -> Callable[[Login], Verdict]:
    def take(login: Login) -> Verdict:
        taken.append(login)
        return Verdict()

    return take


def left_by_the_agent(tmp_path: Path, **fields: object) -> None:
    """Write the gate's settings as the agent leaves them for the hook."""
    (tmp_path / "gate").write_bytes(b"".join(f"{name}={value}\0".encode() for name, value in fields.items()))


def ask(path: Path, message: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(str(path))
        client.sendall(message)
        client.shutdown(socket.SHUT_WR)
        return client.makefile("rb").readline()


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


REFUSED = 77


def test_the_agents_refusal_is_told_to_the_person_in_the_account_phase(
    hook: ModuleType,
    gate: Gate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    monkeypatch.setenv("PAM_TYPE", "account")
    gate(lambda _login: Verdict(admitted=False, text="Refused: ask carol.\nSecond line."))
    assert hook.main(SSHD) == REFUSED
    assert capfdbinary.readouterr().out == b"Refused: ask carol.\nSecond line.\n"
    assert left(tmp_path) == []


def test_in_the_session_phase_nothing_is_printed_and_only_a_process_of_sshds_is_ended(
    hook: ModuleType, gate: Gate, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    gate(lambda _login: Verdict(admitted=False, text="Refused."))
    other, sshd = sleeper("sleep"), sleeper("sshd")
    assert hook.main(other.pid) == REFUSED
    assert other.poll() is None
    assert hook.main(sshd.pid) == REFUSED
    assert sshd.wait(10) == -signal.SIGTERM
    other.kill()
    other.wait(10)
    for started in (other, sshd):
        assert started.stdout is not None
        started.stdout.close()
    assert capfdbinary.readouterr().out == b""


def sleeper(name: str) -> subprocess.Popen[bytes]:
    """Start a process that the kernel knows by this name, and wait until it does."""
    script = (
        "import sys, time; open('/proc/self/comm', 'w').write(sys.argv[1]); print(flush=True); time.sleep(60)"
    )
    started = subprocess.Popen([sys.executable, "-c", script, name], stdout=subprocess.PIPE)
    assert started.stdout is not None
    started.stdout.readline()
    return started


def test_an_offered_certificate_is_handed_over_once(
    hook: ModuleType, gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAM_TYPE", "account")
    taken: list[Login] = []
    gate(admit(taken))
    (tmp_path / str(SSHD)).write_text(f"{CERTIFICATE}\n")
    hook.main(SSHD)
    hook.main(SSHD)
    assert [login.offered for login in taken] == [CERTIFICATE.encode(), b""]


def test_what_another_connection_offered_or_a_link_points_to_is_not_taken(
    hook: ModuleType, gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAM_TYPE", "account")
    taken: list[Login] = []
    gate(admit(taken))
    old = tmp_path / str(SSHD)
    old.write_text(CERTIFICATE)
    os.utime(old, (1, 1))
    hook.main(SSHD)
    assert not old.exists()
    (tmp_path / "target").write_text(CERTIFICATE)
    old.symlink_to(tmp_path / "target")
    hook.main(SSHD)
    assert [login.offered for login in taken] == [b"", b""]


ARMED = {"state": "armed", "ends": "0", "limit_seconds": "0.5", "automation": "deploy,ci"}
TRIAL = {**ARMED, "state": "trial"}


@pytest.mark.parametrize(
    ("gate_settings", "user", "status", "kind", "answer"),
    [
        pytest.param({}, "alice", 0, b"person", b"allow", id="never armed"),
        pytest.param({"state": "off"}, "alice", 0, b"person", b"allow", id="off"),
        pytest.param(ARMED, "alice", 0, b"person", b"allow_and_flag", id="the default"),
        pytest.param(
            {**ARMED, "on_failure_person": "deny"}, "alice", REFUSED, b"person", b"deny", id="deny people"
        ),
        pytest.param(
            {**ARMED, "on_failure_person": "deny"}, "ci", 0, b"automation", b"allow_and_flag", id="not ci"
        ),
        pytest.param(
            {**ARMED, "on_failure_automation": "deny"}, "ci", REFUSED, b"automation", b"deny", id="deny ci"
        ),
        pytest.param({**ARMED, "on_failure_person": "allow"}, "alice", 0, b"person", b"allow", id="allow"),
        pytest.param(
            {**TRIAL, "on_failure_person": "deny"}, "alice", 0, b"person", b"allow", id="trial over"
        ),
        pytest.param(
            {**TRIAL, "ends": "99999999999", "on_failure_person": "deny"},
            "alice",
            REFUSED,
            b"person",
            b"deny",
            id="trial",
        ),
        pytest.param(
            {**TRIAL, "ends": "soon", "on_failure_person": "deny"}, "alice", 0, b"person", b"allow", id="odd"
        ),
    ],
)
def test_without_the_agent_an_armed_gate_does_what_the_hosts_settings_say(
    hook: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    gate_settings: dict[str, str],
    user: str,
    status: int,
    kind: bytes,
    answer: bytes,
) -> None:
    monkeypatch.setenv("PAM_TYPE", "account")
    monkeypatch.setenv("PAM_USER", user)
    if gate_settings:
        left_by_the_agent(tmp_path, **gate_settings)
    assert hook.main(SSHD) == status
    (record,) = left(tmp_path)
    assert (record.principal_class, record.answer) == (kind, answer)


@pytest.mark.parametrize("agent", [fail, linger], ids=["spool full", "no answer in time"])
@pytest.mark.parametrize(("choice", "status"), [("deny", REFUSED), ("allow", 0), ("allow_and_flag", 0)])
def test_an_agent_that_cannot_record_or_is_late_is_as_good_as_none(
    hook: ModuleType, gate: Gate, tmp_path: Path, agent: Callable[[Login], Verdict], choice: str, status: int
) -> None:
    gate(agent)
    left_by_the_agent(tmp_path, **ARMED, on_failure_person=choice)
    assert hook.main(SSHD) == status
    assert left(tmp_path)[-1].answer == choice.encode()


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_certificate_by_the_authority_makes_the_class_break_glass(
    hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A person's own authority does not; and the end of a session is never refused."""
    every = {f"on_failure_{name}": "deny" for name in ("person", "automation")}
    left_by_the_agent(tmp_path, **ARMED, **every, on_failure_break_glass="allow_and_flag")
    for name in ("authority", "stranger"):
        monkeypatch.setenv("SSH_AUTH_INFO_0", f"publickey {certificate(tmp_path, name, kind)}")
        expected = {"authority": (0, b"break_glass"), "stranger": (REFUSED, b"person")}[name]
        monkeypatch.setattr(hook, "AUTHORITIES", str(tmp_path / "authority.pub"))
        assert (hook.main(SSHD), left(tmp_path)[-1].principal_class) == expected
    monkeypatch.setenv("PAM_TYPE", "close_session")
    assert hook.main(SSHD) == 0


def certificate(folder: Path, authority: str, kind: str) -> str:
    """Return a certificate by the authority, type and base64, made by ssh-keygen."""
    for name, words in ((authority, ["-t", "ed25519"]), ("person", ["-t", kind])):
        (folder / name).unlink(missing_ok=True)
        subprocess.run(["ssh-keygen", "-q", *words, "-N", "", "-f", folder / name], check=True, timeout=60)
    sign = ["ssh-keygen", "-q", "-s", folder / authority, "-I", "x", "-n", "alice", folder / "person.pub"]
    subprocess.run(sign, check=True, timeout=60, capture_output=True)
    return " ".join((folder / "person-cert.pub").read_text().split()[:2])


@given(st.binary(max_size=400))
def test_any_bytes_have_an_authority_or_none(blob: bytes) -> None:
    module = load_hook()
    encoded = base64.b64encode(blob)
    assert isinstance(module.authority([b"ssh-ed25519-cert-v01@openssh.com", encoded]), bytes)


def test_what_the_hook_did_alone_becomes_an_event_of_its_own(hook: ModuleType, tmp_path: Path) -> None:
    emitted: list[tuple[str, dict[str, Any]]] = []
    left_by_the_agent(tmp_path, **ARMED)
    hook.main(SSHD)
    left_by_the_agent(tmp_path, **ARMED, on_failure_person="deny")
    hook.main(SSHD)
    late: list[Mapping[str, Any]] = []
    fallback.take_in(
        tmp_path / "fallback", lambda kind, data, **_: emitted.append((kind, dict(data))) or "", late.append
    )
    assert len(late) == 1, "a login that was refused is no session"
    assert [kind for kind, _ in emitted] == ["sensor.lost", "login.unasked", "sensor.lost", "login.refused"]
    unasked, refused = emitted[1][1], emitted[3][1]
    assert (unasked["class"], unasked["flag"], unasked["phase"]) == ("person", True, "session")
    assert (refused["by"], refused["decision_id"], refused["source"]) == ("on_failure", None, "192.0.2.1")
