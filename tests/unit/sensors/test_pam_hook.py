"""The PAM hook's own program when it refuses, and what it does where the agent cannot be asked."""

import base64
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostseal import fallback
from hostseal.sensors.pam_message import Login, Verdict
from unit.sensors.pam_hook import (
    CERTIFICATE,
    REFUSED,
    SSHD,
    Gate,
    admit,
    fail,
    left,
    left_by_the_agent,
    linger,
    load_hook,
)


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
