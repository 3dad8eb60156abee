"""Certificates are read as OpenSSH and `cryptography` write them, and rubbish is never more than an error."""

import base64
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from hostseal.core.ssh_certificate import FOREVER, read

AUTHORITY = ed25519.Ed25519PrivateKey.generate()
KEY = ed25519.Ed25519PrivateKey.generate()
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
moments = st.integers(0, FOREVER)


def blob(certificate: s.SSHCertificate) -> bytes:
    return base64.b64decode(certificate.public_bytes().split()[1])


def certificate(**fields: Any) -> s.SSHCertificate:
    """Return a certificate, made by `cryptography`."""
    builder = (
        s.SSHCertificateBuilder()
        .public_key(fields.get("key", KEY).public_key())
        .serial(fields.get("serial", 1))
        .type(fields.get("type", s.SSHCertificateType.USER))
        .key_id(fields.get("key_id", "id").encode())
        .valid_principals([name.encode() for name in fields.get("principals", ("alice@0123",))])
        .valid_after(fields.get("after", 0))
        .valid_before(fields.get("before", FOREVER))
    )
    for name, value in fields.get("critical", {}).items():
        builder = builder.add_critical_option(name.encode(), value.encode())
    for name, value in fields.get("extensions", {}).items():
        builder = builder.add_extension(name.encode(), value.encode())
    return builder.sign(fields.get("authority", AUTHORITY))


@given(
    serial=st.integers(0, 2**64 - 1),
    key_id=names,
    principals=st.lists(names, min_size=1, max_size=4),
    after=moments,
    before=moments,
    critical=st.dictionaries(names, names, max_size=3),
    extensions=st.dictionaries(names, st.one_of(st.just(""), names), max_size=3),
)
def test_what_was_put_in_is_read(after: int, before: int, **fields: Any) -> None:
    after, before = sorted((after, before))
    found = read(blob(certificate(after=after, before=before, **fields)))
    assert found.for_user
    assert (found.valid_after, found.valid_before) == (after, before)
    assert (found.serial, found.key_id, found.principals) == (
        fields["serial"],
        fields["key_id"],
        tuple(fields["principals"]),
    )
    assert (found.critical_options, found.extensions) == (fields["critical"], fields["extensions"])
    assert set(found.described()) == {
        *("key_id", "principals", "serial", "ca_fingerprint", "valid_after", "valid_before"),
        *("critical_options", "extensions"),
    }


@given(st.binary(max_size=300))
def test_rubbish_is_a_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"certificate|option"):
        read(raw)


@given(st.data())
def test_a_damaged_certificate_is_read_or_a_value_error(data: st.DataObject) -> None:
    whole = blob(certificate(critical={"force-command": "true"}, extensions={"permit-pty": ""}))
    place = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:place] + bytes([data.draw(st.integers(0, 255))]) + whole[place + 1 :]
    try:
        read(damaged).described()
    except ValueError as error:
        assert "certificate" in str(error) or "option" in str(error)  # noqa: PT017 - both outcomes are right


@given(st.integers(0, 400))
def test_a_certificate_that_was_cut_off_is_a_value_error(length: int) -> None:
    whole = blob(certificate())
    with pytest.raises(ValueError, match="certificate"):
        read(whole[: min(length, len(whole) - 1)])
    with pytest.raises(ValueError, match="more than a certificate"):
        read(whole + b"\0")


def test_bounds_that_are_none_and_bounds_that_no_calendar_has() -> None:
    always = read(blob(certificate(after=0, before=FOREVER))).described()
    assert (always["valid_after"], always["valid_before"]) == (None, None)
    far = read(blob(certificate(after=FOREVER - 2, before=FOREVER - 1))).described()
    assert far["valid_after"] == far["valid_before"] == "9999-12-31T23:59:59.000000Z"
    near = read(blob(certificate(after=1767323045, before=1767324845))).described()
    assert (near["valid_after"], near["valid_before"]) == (
        "2026-01-02T03:04:05.000000Z",
        "2026-01-02T03:34:05.000000Z",
    )


def test_a_hosts_certificate_is_not_a_users() -> None:
    assert not read(blob(certificate(type=s.SSHCertificateType.HOST))).for_user


@pytest.mark.parametrize(
    "key",
    [
        ed25519.Ed25519PrivateKey.generate(),
        rsa.generate_private_key(65537, 2048),
        *(ec.generate_private_key(curve) for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())),
    ],
    ids=["ed25519", "rsa", "p256", "p384", "p521"],
)
def test_keys_of_each_kind_have_the_fingerprints_that_ssh_keygen_prints(key: Any, tmp_path: Path) -> None:
    found = read(blob(certificate(key=key, authority=key)))
    public = tmp_path / "key.pub"
    public.write_bytes(key.public_key().public_bytes(s.Encoding.OpenSSH, s.PublicFormat.OpenSSH))
    said = subprocess.run(
        ["ssh-keygen", "-lf", public], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    assert found.fingerprint == found.ca_fingerprint == said.split()[1]


def test_a_security_keys_certificate_is_read() -> None:
    """Made by hand after PROTOCOL.u2f and PROTOCOL.certkeys: no such key is here to sign with."""

    def string(raw: bytes) -> bytes:
        return len(raw).to_bytes(4, "big") + raw

    key = [b"\1" * 32, b"ssh:"]
    body = string(b"sk-ssh-ed25519-cert-v01@openssh.com") + string(b"nonce") + b"".join(map(string, key))
    body += (7).to_bytes(8, "big") + (1).to_bytes(4, "big") + string(b"id") + string(string(b"alice@0123"))
    body += (1).to_bytes(8, "big") + (2).to_bytes(8, "big") + string(b"") * 3
    found = read(body + string(b"authority") + string(b"signature"))
    assert (found.serial, found.principals) == (7, ("alice@0123",))
    plain = b"".join(map(string, [b"sk-ssh-ed25519@openssh.com", *key]))
    line = f"sk-ssh-ed25519@openssh.com {base64.b64encode(plain).decode()}\n"
    said = subprocess.run(
        ["ssh-keygen", "-lf", "-"], input=line, capture_output=True, text=True, check=True, timeout=30
    )
    assert said.stdout.split()[1] == found.fingerprint
