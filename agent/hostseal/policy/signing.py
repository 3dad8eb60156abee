"""The operator's key pairs for bundles: EC P-256 (ES256) or RSA (RS256). The private half is never on a host."""

import hashlib
import os
from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from hostseal import durable
from hostseal.errors import PolicyError

RSA_BITS = 2048
_P256_BYTES = 32
_ID_LETTERS = 16

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A public key as OPA is told of it.

    `id` is the same wherever the key is: the first 16 hexadecimal digits of the SHA-256 of its DER form.
    """

    id: str
    algorithm: str
    pem: bytes


class SigningKey:
    """A private key. The same bytes have the same signature each time: RFC 6979 for ES256; RS256 has no other way."""

    def __init__(self, path: Path) -> None:
        """Read the key; PolicyError when `path` is not an EC P-256 or RSA private key in PEM, without a password."""
        self._key = _private(path)
        self.public = _named(self._key.public_key(), path)

    def sign(self, content: bytes) -> bytes:
        """Return the signature as JSON Web Signatures have it (RFC 7518, sections 3.3 and 3.4)."""
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(content, padding.PKCS1v15(), hashes.SHA256())
        try:
            way = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        except UnsupportedAlgorithm as error:
            raise PolicyError(
                "this OpenSSL cannot sign by RFC 6979, so the same sources would not give the same bundle",
                hint="use OpenSSL 3.2 or newer, or an RSA key",
            ) from error
        halves = decode_dss_signature(self._key.sign(content, way))
        return b"".join(half.to_bytes(_P256_BYTES, "big") for half in halves)


def generate_key_pair(private: Path, public: Path) -> None:
    """Write a new key pair as PEM, the private one for its owner alone; PolicyError when there already is one."""
    if private.exists():
        raise PolicyError("there already is a signing key, and bundles signed by it", hint=str(private))
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    durable.write(private, pem, mode=0o600)
    durable.write(public, _named(key.public_key(), private).pem, mode=0o644)


def public_key(private: Path) -> bytes:
    """Return the PEM of the public half; PolicyError as :class:`SigningKey`."""
    return SigningKey(private).public.pem


def named(public: Path) -> Named:
    """Return the public key in a PEM file; PolicyError when there is none that bundles are verified by."""
    try:
        key = load_pem_public_key(public.read_bytes())
    except OSError as error:
        raise PolicyError(f"the public key cannot be read: {_why(error)}", hint=str(public)) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise PolicyError("the public key is not a PEM public key", hint=str(public)) from error
    return _named(key, public)


def _private(path: Path) -> PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise PolicyError(f"the signing key cannot be read: {_why(error)}", hint=str(path)) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise PolicyError("the signing key is not an unencrypted PEM private key", hint=str(path)) from error
    if not isinstance(key, PrivateKey):
        raise PolicyError("the signing key is neither EC P-256 nor RSA", hint=str(path))
    return key


def _named(key: object, path: Path) -> Named:
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        algorithm = "ES256"
    elif isinstance(key, rsa.RSAPublicKey) and key.key_size >= RSA_BITS:
        algorithm = "RS256"
    else:
        raise PolicyError(
            f"the signing key is neither EC P-256 nor RSA of {RSA_BITS} bits or more", hint=str(path)
        )
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Named(
        id=hashlib.sha256(der).hexdigest()[:_ID_LETTERS],
        algorithm=algorithm,
        pem=key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    )


def _why(error: OSError) -> str:
    return os.strerror(error.errno or 0)
