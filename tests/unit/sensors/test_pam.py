"""What the hook saw, as an event's data: whatever the address or the certificate looks like."""

import pytest

from hostseal.core.event import EventType
from hostseal.sensors.pam import login_data, offered_certificate
from hostseal.sensors.pam_message import Login

ZONE = b"fe80::5054:ff:fe12:3456%eth0"


def login(**pam: bytes) -> Login:
    plain = {b"PAM_TYPE": b"account", b"PAM_USER": b"alice"}
    return Login(
        phase="account",
        pid=7,
        time=1.0,
        pam={**plain, **{name.encode(): value for name, value in pam.items()}},
    )


def test_an_address_with_a_zone_is_kept_as_it_is() -> None:
    connection = ZONE + b" 50000 " + ZONE + b" 22"
    for data in (
        login_data(login(PAM_RHOST=ZONE, SSH_CONNECTION=connection), EventType.LOGIN_REQUESTED),
        login_data(login(SSH_CONNECTION=connection), EventType.SESSION_OPENED),
    ):
        assert (data["source"], data["connection"]) == (ZONE.decode(), connection.decode())


def test_a_login_without_an_address_or_an_audit_session_has_none() -> None:
    data = login_data(login(), EventType.SESSION_OPENED)
    assert (data["source"], data["connection"], data["audit_session"], data["key"]) == (
        None,
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"publickey",
        b"publickey ssh-ed25519-cert-v01@openssh.com !!!",
        b"publickey odd-cert-v01@openssh.com AAAA",
        b"\xff\x00",
    ],
)
def test_what_is_no_certificate_is_none(line: bytes) -> None:
    assert offered_certificate(line) is None
