"""The operator's key pair for bundles: EC P-256 (ES256). The private half is never on a host."""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from hostseal import durable
from hostseal.errors import PolicyError

ALGORITHM = "ES256"


def generate_key_pair(private: Path, public: Path) -> None:
    """Write a new key pair as PEM, the private one for its owner alone; PolicyError when there already is one."""
    if private.exists():
        raise PolicyError("there already is a signing key, and bundles signed by it", hint=str(private))
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    durable.write(private, pem, mode=0o600)
    durable.write(public, _public_pem(key), mode=0o644)


def public_key(private: Path) -> bytes:
    """Return the PEM of the public half; PolicyError when `private` is not an EC P-256 private key."""
    try:
        key = load_pem_private_key(private.read_bytes(), password=None)
    except OSError as error:
        raise PolicyError(
            f"the signing key cannot be read: {os.strerror(error.errno or 0)}", hint=str(private)
        ) from error
    except (ValueError, TypeError) as error:
        raise PolicyError(
            "the signing key is not an unencrypted PEM private key", hint=str(private)
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise PolicyError("the signing key is not an EC P-256 key", hint=str(private))
    return _public_pem(key)


def _public_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
