"""The PAM hook's program as a module, a login for it, and agents of several kinds for it to meet."""

import importlib.machinery
import importlib.util
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from hostseal.errors import SpoolFullError
from hostseal.sensors.pam_gate import GateServer
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


REFUSED = 77


def load_hook() -> ModuleType:
    """Return the hook's program as a module."""
    loader = importlib.machinery.SourceFileLoader("pam_hook", str(HOOK))
    spec = importlib.util.spec_from_loader("pam_hook", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


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
