"""Ed25519 keys in PEM files: the private half where the work is done that it stands for, never on a host."""

import hashlib
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from hostseal import durable
from hostseal.errors import KeyFileError


def private_key(path: Path) -> Ed25519PrivateKey:
    """Return the private key in a PEM file; KeyFileError when there is none."""
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise KeyFileError(f"the key cannot be read: {_why(error)}", hint=str(path)) from error
    except (ValueError, TypeError) as error:
        raise KeyFileError("this is not an unencrypted PEM private key", hint=str(path)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError("the key is not an Ed25519 private key", hint=str(path))
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """Return the public key in a PEM file; KeyFileError when there is none."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise KeyFileError(f"the key cannot be read: {_why(error)}", hint=str(path)) from error
    except ValueError as error:
        raise KeyFileError("this is not a PEM public key", hint=str(path)) from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFileError("the key is not an Ed25519 public key", hint=str(path))
    return key


def ensure_pair(folder: Path, name: str) -> Path:
    """Return FOLDER/NAME.key, made now with NAME.pub beside it if it is not there. KeyFileError, OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    private, public = folder / f"{name}.key", folder / f"{name}.pub"
    if not private.exists():
        made = Ed25519PrivateKey.generate()
        durable.write(private, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    pem = private_key(private).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if not public.exists() or public.read_bytes() != pem:
        durable.write(public, pem, mode=0o644)
    return private


def fingerprint(key: Ed25519PublicKey) -> str:
    """Return a public key's SHA-256 over its 32 raw bytes, as `sha256:HEX`."""
    return f"sha256:{hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()}"


def _why(error: OSError) -> str:
    return os.strerror(error.errno or 0)
