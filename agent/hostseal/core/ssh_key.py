"""Reads the key or certificate a session was opened with, from PAM's SSH_AUTH_INFO_0 (facts: PAM gate)."""

import base64
import binascii
from typing import Any

from hostseal.core import ssh_certificate
from hostseal.core.text import shown


def from_auth_info(text: str) -> dict[str, Any] | None:
    """Return {method, type, fingerprint, certificate} of the last method that succeeded; None when there is none.

    An RSA key has `bits` as well: of all types only theirs says nothing of its strength.

    `text` holds one line a method: `publickey TYPE BASE64` or a method's name alone. A certificate that cannot be read is
    none, and its key has no fingerprint: it proves nothing.
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
        if "-cert-" not in kind:
            size = _size(ssh_certificate.rsa_bits(blob))
            return {**key, "fingerprint": ssh_certificate.fingerprint(blob), **size}
        found = ssh_certificate.read(blob)
    except (binascii.Error, ValueError):
        return key
    size = _size(found.rsa_bits)
    return {**key, "fingerprint": found.fingerprint, "certificate": found.described(), **size}


def _size(bits: int | None) -> dict[str, int]:
    return {} if bits is None else {"bits": bits}
