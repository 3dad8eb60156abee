"""Who signs a certificate: this process with a key file, or ssh-keygen with a key that may be elsewhere."""

import os
import subprocess
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from hostseal.core.break_glass import Terms
from hostseal.errors import BreakGlassError

_SECONDS = 120
_OPENSSH = b"-----BEGIN OPENSSH PRIVATE KEY-----"


class Signer(Protocol):
    """Makes certificates."""

    @property
    def authority(self) -> str:
        """Return the authority's public key, `TYPE BASE64`."""

    def sign(self, public_key: str, terms: Terms) -> str:
        """Return a certificate for `public_key` (both `TYPE BASE64`); BreakGlassError when it cannot be made."""


class KeyFileSigner:
    """Signs in this process with a private key in a file: PKCS#8 (PEM), or OpenSSH's own without a passphrase.

    OpenSSH's encryption needs a package that is not required here (bcrypt); ssh-keygen has it.
    """

    def __init__(self, path: Path, passphrase: Callable[[], bytes]) -> None:
        """Load the key; `passphrase` is called only if it is encrypted. BreakGlassError when it cannot be used."""
        self._key = _private(path, passphrase)
        self.authority = public_text(self._key.public_key())

    def sign(self, public_key: str, terms: Terms) -> str:
        """Return a certificate; see :class:`Signer`."""
        builder = (
            s.SSHCertificateBuilder()
            .public_key(_public(public_key))
            .serial(terms.serial)
            .type(s.SSHCertificateType.USER)
            .key_id(terms.key_id.encode())
            .valid_principals([terms.principal.encode()])
            .valid_after(terms.valid_after)
            .valid_before(terms.valid_before)
        )
        for name, value in terms.critical_options.items():
            builder = builder.add_critical_option(name.encode(), value.encode())
        for name, value in terms.extensions.items():
            builder = builder.add_extension(name.encode(), value.encode())
        return builder.sign(self._key).public_bytes().decode("ascii").strip()


class KeygenSigner:
    """Has ssh-keygen sign: with a key file, an ssh-agent's key, or a token's over PKCS#11. It asks for what it needs."""

    def __init__(self, key: Path, how: tuple[str, ...]) -> None:
        """Sign by `key`, the private key, or the public one of a key elsewhere; `how` is ssh-keygen's `-U`, `-D LIB`."""
        public = key if key.suffix == ".pub" else key.with_name(f"{key.name}.pub")
        self._key, self._how, self.authority = key, how, read_public(public)

    def sign(self, public_key: str, terms: Terms) -> str:
        """Return a certificate; see :class:`Signer`."""
        with tempfile.TemporaryDirectory(prefix="hostseal-break-glass-") as name:
            file = Path(name) / "key.pub"
            file.write_text(f"{public_key}\n", "ascii")
            self._run([*_arguments(terms), str(file)])
            return read_public(Path(name) / "key-cert.pub")

    def _run(self, arguments: list[str]) -> None:
        # ssh-keygen reads dates in the local time zone.
        command = ["ssh-keygen", "-q", *self._how, "-s", str(self._key.absolute()), *arguments]
        try:
            done = subprocess.run(
                command, env={**os.environ, "TZ": "UTC"}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                text=True, errors="backslashreplace", timeout=_SECONDS, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BreakGlassError(f"ssh-keygen did not sign: {error}") from error
        if done.returncode:
            raise BreakGlassError(
                f"ssh-keygen did not sign: {done.stderr.strip()[-300:]}", hint=str(self._key)
            )


def read_public(path: Path) -> str:
    """Return the public key or certificate in a file, `TYPE BASE64` without its comment; BreakGlassError."""
    try:
        words = path.read_text("utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise BreakGlassError(f"the public key cannot be read: {error}", hint=str(path)) from error
    if len(words) < 2:  # noqa: PLR2004 - type and key
        raise BreakGlassError("this is not an OpenSSH public key", hint=str(path))
    return " ".join(words[:2])


def public_text(key: s.SSHPublicKeyTypes) -> str:
    """Return a public key as OpenSSH writes it, `TYPE BASE64`."""
    return key.public_bytes(s.Encoding.OpenSSH, s.PublicFormat.OpenSSH).decode("ascii")


def _arguments(terms: Terms) -> list[str]:
    window = ":".join(
        datetime.fromtimestamp(moment, UTC).strftime("%Y%m%d%H%M%S")
        for moment in (terms.valid_after, terms.valid_before)
    )
    words = ["-I", terms.key_id, "-n", terms.principal, "-z", str(terms.serial), "-V", window, "-O", "clear"]
    for name, value in terms.critical_options.items():
        words += ["-O", f"{name}={value}"]
    for name, value in terms.extensions.items():
        words += ["-O", f"extension:{name}={value}" if value else name]
    return words


def _private(
    path: Path, passphrase: Callable[[], bytes]
) -> ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    try:
        raw = path.read_bytes()
        load = s.load_ssh_private_key if _OPENSSH in raw else s.load_pem_private_key
        try:
            key = load(raw, password=None)
        except TypeError:  # it is encrypted
            key = load(raw, password=passphrase())
    except UnsupportedAlgorithm as error:
        raise BreakGlassError(
            f"the authority's key {path} is encrypted: {error}",
            hint="--signer ssh-keygen asks for its passphrase",
        ) from error
    except (OSError, ValueError) as error:
        raise BreakGlassError(f"the authority's key cannot be used: {error}", hint=str(path)) from error
    if not isinstance(key, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise BreakGlassError("an authority's key is Ed25519, ECDSA or RSA", hint=str(path))
    return key


def _public(text: str) -> s.SSHCertPublicKeyTypes:
    try:
        key = s.load_ssh_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BreakGlassError(
            f"the person's key cannot be certified here: {error}", hint="--signer ssh-keygen knows more kinds"
        ) from error
    if not isinstance(key, ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise BreakGlassError("the person's key is not Ed25519, ECDSA or RSA")
    return key
