"""Untrusted text is shown escaped; keys and certificates get OpenSSH's own fingerprints."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostseal.core.ssh_key import from_auth_info
from hostseal.core.text import faithful, shown


@given(st.binary())
def test_what_is_shown_never_holds_a_control_character(raw: bytes) -> None:
    assert shown(faithful(raw)).isprintable() or raw == b""


@given(st.binary())
def test_faithful_text_is_text_that_json_can_carry(raw: bytes) -> None:
    faithful(raw).encode("utf-8")


def test_escapes_and_templates_stay_what_they_are() -> None:
    assert shown("\x1b[31m{{ lookup('pipe','id') }}\n") == "\\x1b[31m{{ lookup('pipe','id') }}\\n"
    assert shown("a\u202eb") == "a\\u202eb"


def test_a_key_has_the_fingerprint_that_ssh_keygen_prints(tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True, timeout=30)
    said = subprocess.run(
        ["ssh-keygen", "-lf", f"{key}.pub"], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    words = (tmp_path / "key.pub").read_text().split()
    found = from_auth_info(f"publickey {words[0]} {words[1]}\n")
    assert found == {
        "method": "publickey",
        "type": "ssh-ed25519",
        "fingerprint": said.split()[1],
        "certificate": None,
    }


@pytest.mark.parametrize("bits", [1024, 3072])
def test_an_rsa_key_and_its_certificate_have_their_bits(tmp_path: Path, bits: int) -> None:
    make = ["ssh-keygen", "-q", "-t", "rsa", "-b", str(bits), "-N", "", "-f", tmp_path / "key"]
    subprocess.run(make, check=True, timeout=30)
    sign = ["ssh-keygen", "-q", "-s", "key", "-I", "alice", "-n", "alice", "key.pub"]
    subprocess.run(sign, check=True, cwd=tmp_path, timeout=30)
    for name in ("key.pub", "key-cert.pub"):
        words = (tmp_path / name).read_text().split()
        found = from_auth_info(f"publickey {words[0]} {words[1]}")
        assert found is not None
        assert (found["bits"], found["fingerprint"]) == (bits, _fingerprint(tmp_path / "key.pub"))


def test_a_broken_rsa_key_has_no_bits() -> None:
    found = from_auth_info("publickey ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB")
    assert found is not None
    assert "bits" not in found
    assert str(found["fingerprint"]).startswith("SHA256:")


def test_a_certificate_is_read_with_its_authority(tmp_path: Path) -> None:
    for name in ("ca", "key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True, timeout=30
        )
    sign = [
        "ssh-keygen",
        "-q",
        "-s",
        "ca",
        "-I",
        "alice@corp",
        "-n",
        "alice,root",
        "-z",
        "42",
        "-V",
        "+5m",
        "key.pub",
    ]
    subprocess.run(sign, check=True, cwd=tmp_path, timeout=30)
    words = (tmp_path / "key-cert.pub").read_text().split()
    found = from_auth_info(f"publickey {words[0]} {words[1]}")
    assert found is not None
    authority = from_auth_info("publickey " + " ".join((tmp_path / "ca.pub").read_text().split()[:2]))
    assert authority is not None
    assert found["fingerprint"] == _fingerprint(tmp_path / "key.pub")
    certificate = dict(found["certificate"])
    assert certificate.pop("valid_after") < certificate.pop("valid_before")
    assert certificate == {
        "key_id": "alice@corp",
        "principals": ["alice", "root"],
        "serial": 42,
        "ca_fingerprint": authority["fingerprint"],
        "critical_options": {},
        "extensions": {
            "permit-X11-forwarding": "",
            "permit-agent-forwarding": "",
            "permit-port-forwarding": "",
            "permit-pty": "",
            "permit-user-rc": "",
        },
    }


def _fingerprint(public: Path) -> str:
    found = from_auth_info(f"publickey {' '.join(public.read_text().split()[:2])}")
    assert found is not None
    return str(found["fingerprint"])


def test_other_methods_and_rubbish_are_no_key() -> None:
    assert from_auth_info("") is None
    assert from_auth_info("password\n") == {
        "method": "password",
        "type": None,
        "fingerprint": None,
        "certificate": None,
    }
    for kind, encoded in (
        ("ssh-ed25519", "!!!"),
        ("ssh-ed25519-cert-v01@openssh.com", "!!!"),
        ("ssh-ed25519-cert-v01@openssh.com", "AAAA"),
        ("moon-cert-v99@example.org", "AAAAGW1vb24tY2VydC12OTlAZXhhbXBsZS5vcmc="),
    ):
        assert from_auth_info(f"publickey {kind} {encoded}") == {
            "method": "publickey",
            "type": kind,
            "fingerprint": None,
            "certificate": None,
        }
