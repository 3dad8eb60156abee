"""Reads the key or certificate a session was opened with, from PAM's SSH_AUTH_INFO_0 (facts: PAM gate)."""

import base64
import binascii
import hashlib
from typing import Any

from hostseal.core.text import shown


def from_auth_info(text: str) -> dict[str, Any] | None:
    """Return {method, type, fingerprint, certificate} of the last method that succeeded; None when there is none.

    `text` holds one line a method: `publickey TYPE BASE64` or a method's name alone.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return None
    for line in reversed(lines):
        words = line.split()
        if words[0] == "publickey" and len(words[1:3]) == 2:  # noqa: PLR2004 - type and key
            return _public_key(words[1], words[2])
    return {"method": shown(lines[-1].split()[0]), "type": None, "fingerprint": None, "certificate": None}


def _public_key(kind: str, encoded: str) -> dict[str, Any]:
    key: dict[str, Any] = {
        "method": "publickey",
        "type": shown(kind),
        "fingerprint": None,
        "certificate": None,
    }
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return key
    if "-cert-" not in kind:
        return {**key, "fingerprint": _fingerprint(blob)}
    return {**key, **_certificate(kind, encoded)}


def _certificate(kind: str, encoded: str) -> dict[str, Any]:
    from cryptography.hazmat.primitives import serialization as s  # 10 MB: only where certificates are used

    try:
        found = s.load_ssh_public_identity(f"{kind} {encoded}".encode())
    except ValueError:
        return {}
    if not isinstance(found, s.SSHCertificate):
        return {}
    return {
        "fingerprint": _fingerprint(_blob(found.public_key())),
        "certificate": {
            "key_id": found.key_id.decode("utf-8", "backslashreplace"),
            "principals": [p.decode("utf-8", "backslashreplace") for p in found.valid_principals],
            "serial": found.serial,
            "ca_fingerprint": _fingerprint(_blob(found.signature_key())),
        },
    }


def _blob(key: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization as s

    line = key.public_bytes(s.Encoding.OpenSSH, s.PublicFormat.OpenSSH)
    return base64.b64decode(line.split()[1])


def _fingerprint(blob: bytes) -> str:
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
