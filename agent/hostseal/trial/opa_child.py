"""A real OPA as the trial's own child, on a free loopback port, with its decision log in a file."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

from hostseal.errors import PolicyError
from hostseal.policy.signing import named

START_SECONDS = 20.0
LOGGING = "decision_logs.console=true"


def find() -> Path:
    """Return the opa program: $HOSTSEAL_OPA, PATH, or the checkout's .tools/bin; PolicyError names the ways."""
    named = os.environ.get("HOSTSEAL_OPA") or shutil.which("opa")
    beside = Path(sys.prefix).parent / ".tools/bin/opa"
    found = Path(named) if named else beside
    if not found.is_file():
        raise PolicyError(
            "there is no opa program", hint="run `make tools`, put opa on PATH, or set HOSTSEAL_OPA"
        )
    return found


@contextmanager
def running(
    opa: Path, bundle: Path, log: Path, key: Path | None = None, settings: Sequence[str] = (LOGGING,)
) -> Iterator[str]:
    """Run OPA with the bundle; yield its address; end it afterwards. PolicyError when it does not come up.

    A signed bundle needs the public `key` it is verified by; `settings` are OPA's own.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [
        str(opa), "run", "--server", "--addr", f"127.0.0.1:{port}", "--log-level", "error",
        "--skip-version-check", "--disable-telemetry", "--bundle", str(bundle),
    ]  # fmt: skip
    for setting in settings:
        command += ["--set", setting]
    if key is not None:
        command += ["--verification-key", str(key), "--signing-alg", named(key).algorithm]
    with log.open("ab") as sink, _ending_in_order():
        child = subprocess.Popen(
            command, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, start_new_session=True
        )
        try:
            _wait(url, child, log)
            yield url
        finally:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Have SIGTERM raise SystemExit for the while, where nobody has taken it: the child would outlive us otherwise."""
    taken = signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    if taken or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is _end:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _end(*_: object) -> None:
    sys.exit(128 + signal.SIGTERM)


def _wait(url: str, child: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    with requests.Session() as session:
        session.trust_env = False
        while time.monotonic() < deadline and child.poll() is None:
            try:
                if session.get(f"{url}/health?bundles", timeout=1).status_code == requests.codes.ok:
                    return
            except requests.RequestException:
                time.sleep(0.05)
    raise PolicyError("OPA did not start", hint=log.read_text("utf-8", "replace")[-500:])
