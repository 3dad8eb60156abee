"""Whoever signs, the certificate is what was asked for, and ssh-keygen reads it."""

import base64
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest
from msgspec.structs import replace

from hostseal.break_glass.signers import KeyFileSigner, KeygenSigner, Signer, read_public
from hostseal.core.break_glass import Terms, differences
from hostseal.core.ssh_certificate import Certificate, fingerprint, read
from hostseal.errors import BreakGlassError

PASSPHRASE = "correct horse"
TERMS = Terms(
    serial=2**63 + 5,
    key_id="INC-1 by carol for alice on web-1: 'quotes', \"more\" and -dashes: größer",
    principal="alice@97f70f8ffec04d73afb0ef26920bf1bd",
    valid_after=1_767_323_045,
    valid_before=1_767_324_905,
    critical_options={"source-address": "192.0.2.0/24,2001:db8::/32", "force-command": "echo 'a=b' c"},
    extensions={"permit-pty": "", "reason@hostseal": "the disk, of web-1 = full", "ticket@hostseal": "INC-1"},
)


def keygen(folder: Path, name: str, kind: str = "ed25519", passphrase: str = "") -> Path:
    argv: list[str | Path] = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-f", folder / name]
    subprocess.run(argv, check=True, timeout=60)
    return folder / name


def encrypted(folder: Path) -> Path:
    argv = ["openssl", "genpkey", "-algorithm", "ED25519", "-aes256", "-pass", "stdin", "-out", folder / "ca"]
    subprocess.run(argv, input=f"{PASSPHRASE}\n", text=True, check=True, timeout=60)
    return folder / "ca"


def no_passphrase() -> bytes:
    raise AssertionError("the key is not encrypted")


def by_file(folder: Path) -> Signer:
    return KeyFileSigner(keygen(folder, "ca"), no_passphrase)


def by_encrypted_file(folder: Path) -> Signer:
    return KeyFileSigner(encrypted(folder), PASSPHRASE.encode)


def by_rsa_file(folder: Path) -> Signer:
    return KeyFileSigner(keygen(folder, "ca", "rsa"), no_passphrase)


def by_ecdsa_file(folder: Path) -> Signer:
    return KeyFileSigner(keygen(folder, "ca", "ecdsa"), no_passphrase)


def by_keygen(folder: Path) -> Signer:
    return KeygenSigner(keygen(folder, "ca"), ())


def by_agent(folder: Path) -> Signer:
    """With the private key in an ssh-agent, and no more on disk."""
    key = keygen(folder, "ca")
    subprocess.run(["ssh-add", "-q", key], check=True, capture_output=True, timeout=30)
    key.unlink()
    return KeygenSigner(key.with_suffix(".pub"), ("-U",))


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A real ssh-agent of the test's own."""
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    with subprocess.Popen(["ssh-agent", "-D", "-a", tmp_path / "agent"], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.readline()
        yield
        running.send_signal(signal.SIGTERM)


def made(signer: Signer, folder: Path, kind: str = "ed25519") -> tuple[Certificate, Path]:
    public = read_public(keygen(folder, "person", kind).with_suffix(".pub"))
    text = signer.sign(public, TERMS)
    (folder / "made-cert.pub").write_text(f"{text} comment\n")
    return read(base64.b64decode(text.split()[1])), folder / "made-cert.pub"


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize(
    "signing", [by_file, by_encrypted_file, by_rsa_file, by_ecdsa_file, by_keygen, by_agent]
)
def test_each_signer_makes_what_was_asked_for(signing: Callable[[Path], Signer], tmp_path: Path) -> None:
    signer = signing(tmp_path)
    authority = fingerprint(base64.b64decode(signer.authority.split()[1]))
    certificate, path = made(signer, tmp_path)
    assert differences(TERMS, certificate, authority) == ()
    said = subprocess.run(
        ["ssh-keygen", "-Lf", path], capture_output=True, text=True, check=True, timeout=30,
        env={**os.environ, "TZ": "UTC", "LANG": "C.UTF-8"},
    ).stdout  # fmt: skip
    for expected in (
        f"Signing CA: {signer.authority.split()[0].removeprefix('ssh-').split('-')[0].upper()} {authority}",
        f"Serial: {TERMS.serial}",
        "Valid: from 2026-01-02T03:04:05 to 2026-01-02T03:35:05",
        "Principals: \n                alice@97f70f8ffec04d73afb0ef26920bf1bd\n",
        "force-command echo 'a=b' c",
        "source-address 192.0.2.0/24,2001:db8::/32",
        "permit-pty",
    ):
        assert expected in said


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_a_persons_key_may_be_of_another_kind(kind: str, tmp_path: Path) -> None:
    signer = by_file(tmp_path)
    certificate, _ = made(signer, tmp_path, kind)
    assert differences(TERMS, certificate, certificate.ca_fingerprint) == ()


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"serial": 6}, "serial"),
        ({"key_id": "x"}, "key id"),
        ({"principal": "root@97f70f8ffec04d73afb0ef26920bf1bd"}, "principals"),
        ({"valid_after": 1}, "begin"),
        ({"valid_before": 2**40}, "end"),
        ({"critical_options": {}}, "critical options"),
        ({"extensions": {**TERMS.extensions, "permit-port-forwarding": ""}}, "extensions"),
    ],
)
def test_a_certificate_that_is_otherwise_is_found_out(
    changed: dict[str, object], named: str, tmp_path: Path
) -> None:
    certificate, _ = made(by_file(tmp_path), tmp_path)
    assert differences(replace(TERMS, **changed), certificate, certificate.ca_fingerprint) == (named,)  # type: ignore[arg-type]
    assert differences(TERMS, certificate, "SHA256:another") == ("authority",)
    assert differences(TERMS, replace(certificate, for_user=False), certificate.ca_fingerprint) == ("kind",)


def test_a_wrong_passphrase_and_what_is_no_key_are_errors_that_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(BreakGlassError, match=r"cannot be used.*ca\)"):
        KeyFileSigner(encrypted(tmp_path), lambda: b"wrong")
    (tmp_path / "rubbish").write_bytes(b"\xff")
    with pytest.raises(BreakGlassError, match=r"cannot be used.*rubbish\)"):
        KeyFileSigner(tmp_path / "rubbish", no_passphrase)
    with pytest.raises(BreakGlassError, match=r"cannot be used.*missing\)"):
        KeyFileSigner(tmp_path / "missing", no_passphrase)


def test_ssh_keygen_that_does_not_sign_is_an_error_with_its_words(tmp_path: Path) -> None:
    key = keygen(tmp_path, "ca")
    key.write_text("no key")
    key.chmod(0o600)
    with pytest.raises(BreakGlassError, match="ssh-keygen did not sign: Load key"):
        KeygenSigner(key, ()).sign(read_public(key.with_suffix(".pub")), TERMS)


@pytest.mark.parametrize("content", [b"", b"ssh-ed25519", b"\xff\xfe"])
def test_what_is_no_public_key_is_an_error(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_bytes(content)
    with pytest.raises(BreakGlassError, match="key"):
        read_public(tmp_path / "key.pub")
    with pytest.raises(BreakGlassError, match="certified"):
        by_file(tmp_path).sign("moon AAAA", TERMS)


def test_openssh_s_own_encryption_is_left_to_ssh_keygen_which_asks_at_the_terminal(tmp_path: Path) -> None:
    key = keygen(tmp_path, "ca", passphrase=PASSPHRASE)
    with pytest.raises(BreakGlassError, match="--signer ssh-keygen asks for its passphrase"):
        KeyFileSigner(key, PASSPHRASE.encode)
    code = (
        "import sys; from pathlib import Path; from hostseal.break_glass.signers import KeygenSigner, read_public;"
        "from unit.break_glass.test_signers import TERMS; key = Path(sys.argv[1]);"
        "print(KeygenSigner(key, ()).sign(read_public(key.with_suffix('.pub')), TERMS))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    asked = pexpect.spawn(
        sys.executable, ["-c", code, str(key)], env=environment, encoding="utf-8", timeout=30, maxread=65536
    )
    asked.expect("Enter passphrase")
    asked.sendline(PASSPHRASE)
    asked.expect(pexpect.EOF)
    asked.close()
    assert (asked.exitstatus, "ssh-ed25519-cert-v01@openssh.com" in str(asked.before)) == (0, True)
