"""Reads an OpenSSH certificate: what PROTOCOL.certkeys of OpenSSH describes, bytes in, values out. Pure.

Its signature is not checked here: sshd has, where it matters, and says so by letting the login happen.
"""

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any

import msgspec

from hostseal.core.event import timestamp
from hostseal.core.text import faithful

SUFFIX = "-cert-v01@openssh.com"
FOREVER = 2**64 - 1
# How many strings of the blob are the public key, by its type without the suffix.
_KEY_PARTS = {
    "ssh-ed25519": 1,
    "ssh-rsa": 2,
    "ssh-dss": 4,
    "ecdsa-sha2-nistp256": 2,
    "ecdsa-sha2-nistp384": 2,
    "ecdsa-sha2-nistp521": 2,
    "sk-ssh-ed25519": 2,
    "sk-ecdsa-sha2-nistp256": 3,
}
# The security keys' types carry the domain already.
_PLAIN = {name: f"{name}@openssh.com" if name.startswith("sk-") else name for name in _KEY_PARTS}
_MAXIMUM = datetime.max.replace(microsecond=0, tzinfo=UTC)


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate for the key of `fingerprint`; times in seconds since 1970, `valid_before` is :data:`FOREVER` for one that never ends."""

    fingerprint: str
    rsa_bits: int | None
    serial: int
    for_user: bool
    key_id: str
    principals: tuple[str, ...]
    valid_after: int
    valid_before: int
    critical_options: dict[str, str]
    extensions: dict[str, str]
    ca_fingerprint: str

    def described(self) -> dict[str, Any]:
        """Return the certificate as events and questions carry it; a bound that is none is None."""
        return {
            "key_id": self.key_id,
            "principals": list(self.principals),
            "serial": self.serial,
            "ca_fingerprint": self.ca_fingerprint,
            "valid_after": _moment(self.valid_after) if self.valid_after else None,
            "valid_before": None if self.valid_before == FOREVER else _moment(self.valid_before),
            "critical_options": self.critical_options,
            "extensions": self.extensions,
        }


def read(blob: bytes) -> Certificate:
    """Return the certificate in `blob` (decoded base64); ValueError when it is none, or of an unknown type."""
    parts = _Parts(blob)
    kind = parts.string()
    name = kind.decode("ascii", "replace").removesuffix(SUFFIX)
    if not kind.endswith(SUFFIX.encode()) or name not in _KEY_PARTS:
        raise ValueError("not a certificate of a known type")
    parts.string()  # the nonce
    key = b"".join(_string(part) for part in (_PLAIN[name].encode(), *parts.strings(_KEY_PARTS[name])))
    serial, role = parts.number(8), parts.number(4)
    key_id, principals = parts.string(), _Parts(parts.string()).rest()
    after, before = parts.number(8), parts.number(8)
    critical, extensions = _options(parts.string()), _options(parts.string())
    parts.string()  # reserved
    authority = parts.string()
    parts.string()  # the signature
    parts.end()
    return Certificate(
        fingerprint=fingerprint(key),
        rsa_bits=rsa_bits(key),
        serial=serial,
        for_user=role == 1,
        key_id=faithful(key_id),
        principals=tuple(faithful(one) for one in principals),
        valid_after=after,
        valid_before=before,
        critical_options=critical,
        extensions=extensions,
        ca_fingerprint=fingerprint(authority),
    )


def fingerprint(blob: bytes) -> str:
    """Return a public key's fingerprint as OpenSSH prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def rsa_bits(blob: bytes) -> int | None:
    """Return how many bits a public RSA key has (RFC 4253, 6.6), None for any other key or what is none."""
    parts = _Parts(blob)
    try:
        kind, _, modulus = parts.strings(3)
    except ValueError:
        return None
    return int.from_bytes(modulus, "big").bit_length() if kind == b"ssh-rsa" else None


class _Parts:
    """What is left to read of a blob; ValueError when there is less than is asked for."""

    def __init__(self, blob: bytes) -> None:
        self._blob, self._at = blob, 0

    def _take(self, count: int) -> bytes:
        taken = self._blob[self._at : self._at + count]
        if len(taken) != count:
            raise ValueError("the certificate ends too early")
        self._at += count
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self._take(size), "big")

    def string(self) -> bytes:
        return self._take(self.number(4))

    def strings(self, count: int) -> list[bytes]:
        return [self.string() for _ in range(count)]

    def rest(self) -> list[bytes]:
        found = []
        while self._at < len(self._blob):
            found.append(self.string())
        return found

    def end(self) -> None:
        if self._at < len(self._blob):
            raise ValueError("there is more than a certificate")


def _options(blob: bytes) -> dict[str, str]:
    """Return names and values; a value is a string within its string, or nothing."""
    flat = _Parts(blob).rest()
    if len(flat) % 2:
        raise ValueError("an option of the certificate has no value")
    found: dict[str, str] = {}
    for name, value in zip(flat[::2], flat[1::2], strict=True):
        if faithful(name) in found:
            raise ValueError("an option of the certificate stands there twice")
        inner = _Parts(value)
        found[faithful(name)] = faithful(inner.string()) if value else ""
        inner.end()
    return found


def _string(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part


def _moment(seconds: int) -> str:
    if seconds >= _MAXIMUM.timestamp():
        return timestamp(_MAXIMUM)
    return timestamp(datetime.fromtimestamp(seconds, UTC))
