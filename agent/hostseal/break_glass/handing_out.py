"""Puts a certificate, and the key that was made for it, into files that no other user can read."""

import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hostseal import durable
from hostseal.break_glass.signers import public_text
from hostseal.errors import BreakGlassError


def write_key(path: Path, key: Ed25519PrivateKey) -> None:
    """Write a private key as OpenSSH does, mode 0600, and PATH.pub. No passphrase: it dies with its certificate. OSError."""
    durable.write(path, key.private_bytes(s.Encoding.PEM, s.PrivateFormat.OpenSSH, s.NoEncryption()))
    durable.write(path.with_name(f"{path.name}.pub"), f"{public_text(key.public_key())}\n".encode())


def write_certificate(key: Path, certificate: str, comment: str) -> Path:
    """Write a certificate (`TYPE BASE64`) beside its key, where ssh looks for it, and return its path. OSError."""
    path = key.with_name(f"{key.name}-cert.pub")
    durable.write(path, f"{certificate} {comment}\n".encode())
    return path


def passphrase_from(descriptor: int) -> bytes:
    """Return the first line that a file descriptor gives; BreakGlassError when it cannot be read."""
    try:
        with os.fdopen(os.dup(descriptor), "rb") as file:
            return file.readline(1024).rstrip(b"\n")
    except OSError as error:
        raise BreakGlassError(
            f"the passphrase cannot be read: {error}", hint=f"descriptor {descriptor}"
        ) from error
