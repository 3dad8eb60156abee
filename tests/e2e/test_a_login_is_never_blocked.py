"""The PAM hook never keeps anybody out, whatever has become of the agent; and what it could not tell is told later."""

import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from e2e import record
from hostseal.sensors.pam_message import Login, parse
from lab import Host

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

FALLBACK = "/var/lib/hostseal/fallback"
LIMIT_SECONDS = 2.0
PHASES = 3
SLACK_SECONDS = 6.0


def shell(host: Host, script: str) -> str:
    return host.peek(["bash", "-ec", script]).stdout


def login(host: Host) -> float:
    """Log in as an administrator and run a command; return the seconds it took."""
    began = time.monotonic()
    done = host.ssh("bob", "echo in", timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, "in"), done.stderr
    took = time.monotonic() - began
    assert took < LIMIT_SECONDS * PHASES + SLACK_SECONDS
    return took


def fallback_records(host: Host) -> list[Login]:
    text = shell(host, f"shopt -s nullglob; for f in {FALLBACK}/login-*; do base64 -w 0 $f; echo; done")
    return [parse(base64.b64decode(line)) for line in text.splitlines()]


@contextmanager
def broken(host: Host, breaking: str, mending: str) -> Iterator[None]:
    shell(host, breaking)
    try:
        yield
    finally:
        shell(host, mending)


CASES = [
    pytest.param(
        "kill -STOP $(systemctl show -p MainPID --value hostseal)",
        "kill -CONT $(systemctl show -p MainPID --value hostseal)",
        id="stopped by SIGSTOP",
    ),
    pytest.param(
        "systemctl stop hostseal.socket hostseal.service",
        "systemctl start hostseal.socket hostseal.service",
        id="dead",
    ),
    pytest.param(
        "systemctl stop hostseal.socket hostseal.service; systemctl mask --runtime hostseal.socket hostseal.service",
        "systemctl unmask --runtime hostseal.socket hostseal.service; systemctl start hostseal.socket hostseal.service",
        id="masked",
    ),
]


@pytest.mark.parametrize(("breaking", "mending"), CASES)
def test_an_administrator_gets_in_and_the_agent_hears_of_it_later(
    sealed: Host, breaking: str, mending: str
) -> None:
    before = record.last_seq(sealed)
    with broken(sealed, breaking, mending):
        login(sealed)
        left = fallback_records(sealed)
        assert {login.phase for login in left} >= {"account", "open_session"}
        assert {login.pam[b"PAM_USER"] for login in left} == {b"bob"}
    lost = record.wait_for(sealed, before, "sensor.lost", lambda data: "bob" in data["scope"])
    assert lost["event"]["data"]["sensor"] == "pam"
    record.wait_until(lambda: fallback_records(sealed) == [], what="the records are taken in")


def test_an_administrator_gets_in_without_the_hook_file(sealed: Host) -> None:
    hook = "/opt/hostseal/libexec/pam-hook"
    with broken(sealed, f"mv {hook} /run/pam-hook", f"mv /run/pam-hook {hook}"):
        login(sealed)


def test_an_administrator_gets_in_when_the_package_is_gone(sealed: Host) -> None:
    stop, start = (
        "systemctl stop hostseal.socket hostseal.service",
        "systemctl start hostseal.socket hostseal.service",
    )
    with broken(sealed, f"{stop}; mv /opt/hostseal /opt/gone", f"mv /opt/gone /opt/hostseal; {start}"):
        login(sealed)


def test_an_administrator_gets_in_when_the_disk_is_full(sealed: Host) -> None:
    full = "mount -t tmpfs -o size=64k,mode=0700 tmpfs /var/lib/hostseal; dd if=/dev/zero of=/var/lib/hostseal/x || true"
    stop = "systemctl stop hostseal.socket hostseal.service"
    start = "systemctl start hostseal.socket hostseal.service"
    with broken(
        sealed,
        f"{stop}; {full}; systemctl start hostseal.socket hostseal.service --no-block",
        f"{stop}; umount /var/lib/hostseal; {start}",
    ):
        record.wait_until(
            lambda: "nothing can be recorded" in shell(sealed, "systemctl show -p StatusText hostseal"),
            what="the agent says that it cannot record",
        )
        login(sealed)
        assert shell(sealed, "systemctl show -p NRestarts --value hostseal").strip() == "0"
    record.wait_until(lambda: record.status(sealed)["agent"] is not None, what="the agent is back")
